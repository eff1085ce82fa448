"""How tests run a script on a stage."""

from __future__ import annotations

from datetime import timedelta

from fulldress.stage import Stage


def shell(stage: Stage, text: str, step: str = "step", seconds: float = 20, **options: object) -> tuple[int, str]:
    result = stage.run(["/bin/sh", "-c", text], step=step, timeout=timedelta(seconds=seconds), **options)  # type: ignore[arg-type]
    return result.exit_code, result.output
