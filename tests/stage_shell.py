"""How tests run a script on a stage."""

from __future__ import annotations

from datetime import timedelta

from fulldress.stage import Stage


def shell(stage: Stage, text: str, step: str = "step", seconds: float = 20, **options: object) -> tuple[int, str]:
    result = stage.run(["/bin/sh", "-c", text], step=step, timeout=timedelta(seconds=seconds), **options)  # type: ignore[arg-type]
    return result.exit_code, result.output


def sleepers(stage: Stage, seconds: str = "") -> int:
    """How many processes on the stage are a ``sleep`` (of so many seconds); a machine may be without pgrep."""
    counted = f"grep -lsa '^/*[a-z/]*sleep.{seconds}' /proc/[0-9]*/cmdline | grep -c ."
    return int(shell(stage, counted)[1].strip() or 0)
