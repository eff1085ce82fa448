"""The published JSON Schema of ``--json``. ``docs/reference/schema/view.json`` is generated from here; a test compares."""

from __future__ import annotations

from typing import Any

import msgspec

from fulldress.report.view import FORMAT, View


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the view."""
    found = msgspec.json.schema(View, schema_hook=_anything)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"fulldress report, format {FORMAT}",
        "description": "What `fulldress inspect|check|rehearse|report --json` print.",
        **found,
    }


def _anything(kind: type) -> dict[str, Any]:
    """Fields typed ``object`` (the values of an offered runbook step) hold any JSON."""
    if kind is object:
        return {"description": "any JSON"}
    raise NotImplementedError(f"no schema for {kind}")


def text() -> str:
    """The schema as it is published: sorted keys, two spaces."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


def dump(view: View) -> str:
    """A view as JSON text; durations are ISO 8601 (``PT97.3S``), instants RFC 3339."""
    return msgspec.json.format(msgspec.json.encode(view), indent=2).decode() + "\n"


def load(data: bytes | str) -> View:
    """The inverse of :func:`dump`. Raises :class:`msgspec.ValidationError`."""
    return msgspec.json.decode(data, type=View)
