"""Scripted answers of a stand-in for a third party: a JSON file, a list of ``{method, path, status, body, headers, store}``.

``path`` is matched from its start where it ends in ``*``, else whole, without the query. ``"store": true`` makes it a real
registry: POST keeps what is sent and answers with an ``id``, GET lists, ``GET|PUT|DELETE path/id`` are what they say; so what an
upgrade registers and forgets is still there after the rollback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from fulldress.errors import StageError


class Scripted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str
    method: str = ""  #: empty: every method
    status: int = 200
    body: Any = None  #: text as it is, anything else as JSON
    headers: dict[str, str] = {}
    store: bool = False
    items: list[dict[str, Any]] = []  #: for a store: what it holds at first


class Answers:
    """The state of one stand-in."""

    def __init__(self, scripted: list[Scripted]) -> None:
        self._scripted = scripted
        self._stores: dict[str, dict[str, dict[str, Any]]] = {}
        self._numbers = 0
        self.kept: list[str] = []  #: store paths that were changed
        for line in scripted:
            if line.store:
                store = self._stores.setdefault(line.path, {})
                for item in line.items:
                    store[str(item.get("id") or self._number())] = {"id": self._numbers, **item}
        self.before = {path: set(store) for path, store in self._stores.items()}

    @classmethod
    def load(cls, path: Path) -> Answers:
        """Raises :class:`StageError` for a file that is missing or is no list of answers."""
        try:
            return cls(msgspec.json.decode(path.read_bytes(), type=list[Scripted]))
        except OSError as error:
            raise StageError(
                f"{path}: {error.strerror}. It is named by an endpoint's answers in production.toml."
            ) from None
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise StageError(
                f"{path}: {error}. A list of {{method, path, status, body, headers, store}} was expected."
            ) from None

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes, dict[str, str], bool]:
        """Status, body, headers, and whether the answer was scripted (else it is the default: 200 ``{}``)."""
        path = target.split("?", 1)[0]
        for line in self._scripted:
            if line.store and (path == line.path or path.startswith(line.path.rstrip("/") + "/")):
                status, value = self._store(line, method, path, body)
                return status, json.dumps(value).encode() if value is not None else b"", _JSON | line.headers, True
            matches = path.startswith(line.path[:-1]) if line.path.endswith("*") else path == line.path
            if matches and line.method.upper() in ("", method):
                if isinstance(line.body, str):
                    return line.status, line.body.encode(), line.headers, True
                text = b"" if line.body is None else json.dumps(line.body).encode()
                return line.status, text, _JSON | line.headers, True
        return 200, b"{}", _JSON, False

    def _store(self, line: Scripted, method: str, path: str, body: bytes) -> tuple[int, Any]:
        store = self._stores[line.path]
        key = path[len(line.path) :].strip("/")
        if method == "POST" and not key:
            try:
                sent = json.loads(body or b"{}")
            except ValueError:
                return 400, {"error": "no JSON"}
            number = str(self._number())
            store[number] = (
                {**sent, "id": int(number)} if isinstance(sent, dict) else {"id": int(number), "value": sent}
            )
            return 201, store[number]
        if method in ("GET", "HEAD"):
            return (
                (200, list(store.values()))
                if not key
                else (200, store[key])
                if key in store
                else (404, {"error": "not found"})
            )
        if method == "DELETE" and key:
            return (204, None) if store.pop(key, None) is not None else (404, {"error": "not found"})
        if method in ("PUT", "PATCH") and key in store:
            try:
                sent = json.loads(body or b"{}")
            except ValueError:
                return 400, {"error": "no JSON"}
            store[key] = {
                **(store[key] if method == "PATCH" else {}),
                **(sent if isinstance(sent, dict) else {}),
                "id": store[key].get("id"),
            }
            return 200, store[key]
        return 405, {"error": "method not allowed"}

    def added(self) -> list[tuple[str, dict[str, Any]]]:
        """What is registered now and was not at first: (path of the store, item)."""
        return [
            (path, item)
            for path, store in self._stores.items()
            for key, item in store.items()
            if key not in self.before[path]
        ]


_JSON = {"Content-Type": "application/json"}
