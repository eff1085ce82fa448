"""``fulldress explain [RULE]``."""

from __future__ import annotations

import click


@click.command(short_help="Why a rule exists, with an example and a remedy.")
@click.argument("rule", required=False)
@click.option("--json", "as_json", is_flag=True, help="The page, or the list of rules, as JSON.")
def command(rule: str | None, as_json: bool) -> int:
    """Print the page of RULE (such as FD301), or without one, list all rules."""
    import json

    from fulldress.checks import RULES
    from fulldress.report import rules

    if rule is None:
        listed = [{"rule": r.id, "severity": r.severity.value, "title": r.title} for r in RULES.values()]
        if as_json:
            click.echo(json.dumps(sorted(listed, key=lambda r: r["rule"]), indent=2, ensure_ascii=False))
        else:
            for row in sorted(listed, key=lambda r: r["rule"]):
                click.echo(f"{row['rule']}  {row['severity']:8} {row['title']}")
        return 0
    page = rules.page(rule)
    if as_json:
        known = RULES.get(page.split(maxsplit=2)[1].rstrip(":"))
        severity = known.severity.value if known else ""
        title = known.title if known else ""
        click.echo(
            json.dumps(
                {"rule": known.id if known else rule, "severity": severity, "title": title, "page": page},
                indent=2,
                ensure_ascii=False,
            )
        )
        return 0
    _show(page)
    return 0


def _show(page: str) -> None:
    """Markdown as it is where it is piped; laid out where a person reads."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        click.echo(page, nl=False)
        return
    from rich.markdown import Markdown

    console.print(Markdown(page), width=min(console.width, 80))
