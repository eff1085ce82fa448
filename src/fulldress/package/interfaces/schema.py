"""Schemas -> lines of a shape. References are followed inside the document, cycles and depth are bounded."""

from __future__ import annotations

from typing import Any

_DEEPEST = 4  #: levels of properties; what lies deeper is compared by the type of its parent
_HOPS = 20


class Shapes:
    """``cut`` counts operations whose shape was too large, ``dangling`` holds references that lead nowhere."""

    MOST = 600
    LOOKS = 20_000  #: schemas looked at for one operation; alternatives of alternatives multiply

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.cut = 0
        self.dangling: dict[str, None] = {}
        self._looks = 0
        self._memory: dict[tuple[str, int], tuple[tuple[str, str, bool], ...]] = {}

    def resolve(self, node: Any) -> Any:
        """The node that a chain of ``$ref`` leads to; {} where it leads out of the document or in a circle."""
        for _ in range(_HOPS):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return node
            reference = node["$ref"]
            found = self._pointer(reference)
            if found is None:
                self.dangling[reference] = None
                return {}
            node = found
        return {}

    def _pointer(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return None
        node: Any = self.document
        for part in reference[2:].split("/"):
            part = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            if isinstance(node, dict) and part in node:
                node = node[part]
            elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
                node = node[int(part)]
            else:
                return None
        return node

    def of(self, operation: dict[str, Any], shared: Any) -> tuple[str, ...]:
        """The shape of an operation; ``shared`` are the parameters of its path, which its own override."""
        self._looks = 0
        parts: dict[str, None] = {}
        parameters: dict[tuple[str, str], dict[str, Any]] = {}
        for group in (shared, operation.get("parameters")):
            for node in group if isinstance(group, list) else ():
                parameter = self.resolve(node)
                if isinstance(parameter, dict) and parameter.get("in"):
                    parameters[str(parameter["in"]), str(parameter.get("name", ""))] = parameter
        for (place, name), parameter in parameters.items():
            self._parameter(parts, place, name, parameter)
        body = self.resolve(operation.get("requestBody"))
        if isinstance(body, dict):
            self._add(parts, "body", self._content(body))
        responses = operation.get("responses")
        for status, node in responses.items() if isinstance(responses, dict) else ():
            response = self.resolve(node)
            if isinstance(response, dict) and (str(status)[:1] in "23" or status == "default"):
                parts[str(status)] = None
                self._add(
                    parts, str(status), response.get("schema") if "schema" in response else self._content(response)
                )
        if len(parts) > self.MOST or self._looks > self.LOOKS:
            self.cut += 1
        return tuple(sorted(list(parts)[: self.MOST]))

    def _parameter(self, parts: dict[str, None], place: str, name: str, parameter: dict[str, Any]) -> None:
        required = _true(parameter.get("required"))
        if place == "body":
            self._add(parts, "body", parameter.get("schema"))
            return
        schema = parameter.get("schema", parameter if "type" in parameter else self._content(parameter))
        type_ = self.type(self.resolve(schema))
        where = "body" if place == "formData" else place
        # the name of a path parameter is the description's own affair; callers fill in its place
        parts[f"{where}:{name}{'' if required or place == 'path' else '?'}={type_}"] = None

    def _content(self, holder: dict[str, Any]) -> Any:
        """The schema of the media type that matters: JSON where there is one, else the first."""
        content = holder.get("content")
        if not isinstance(content, dict) or not content:
            return None
        media = next((value for key, value in content.items() if "json" in str(key)), next(iter(content.values())))
        return media.get("schema") if isinstance(media, dict) else None

    def _add(self, parts: dict[str, None], place: str, schema: Any) -> None:
        if schema is None:
            return
        root = self.resolve(schema)
        for name, type_, required in self.fields(schema, 0, ()):
            parts[f"{place}:{name}{'' if required else '?'}={type_}"] = None
        if isinstance(root, dict) and self.type(root) == "array":
            parts[f"{place}:[]=array"] = None

    def fields(self, schema: Any, depth: int, trail: tuple[str, ...]) -> tuple[tuple[str, str, bool], ...]:
        """(dotted name, type, required) of a schema's properties; ``[]`` stands for the elements of a list."""
        reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
        self._looks += 1
        if depth > _DEEPEST or (reference and reference in trail) or self._looks > self.LOOKS:
            return ()
        if reference and (reference, depth) in self._memory:
            return self._memory[reference, depth]
        trail = (*trail, reference) if reference else trail
        node = self.resolve(schema)
        found = self._fields(node, depth, trail) if isinstance(node, dict) else ()
        if reference and len(trail) == 1:
            self._memory[reference, depth] = found
        return found

    def _fields(self, node: dict[str, Any], depth: int, trail: tuple[str, ...]) -> tuple[tuple[str, str, bool], ...]:
        found: dict[str, tuple[str, bool]] = {}
        for part in node.get("allOf") or ():
            found |= {name: (type_, required) for name, type_, required in self.fields(part, depth, trail)}
        for group in ("oneOf", "anyOf"):
            alternatives = [part for part in node.get(group) or () if not _is_null(part)]
            for part in alternatives:
                for name, type_, required in self.fields(part, depth, trail):
                    found[name] = (type_, required and len(alternatives) == 1)
        if node.get("items") is not None and self.type(node) == "array":
            for name, type_, required in self.fields(node["items"], depth, trail):
                found[f"[]{'' if name.startswith('[') else '.'}{name}"] = (type_, required)
        properties = node.get("properties")
        needed = node.get("required") if isinstance(node.get("required"), list) else []
        for name, inner in properties.items() if isinstance(properties, dict) else ():
            found[str(name)] = (self.type(self.resolve(inner)), name in (needed or ()))
            if len(found) > self.MOST:
                break
            for deeper, type_, required in self.fields(inner, depth + 1, trail):
                found[f"{name}{'' if deeper.startswith('[') else '.'}{deeper}"] = (type_, required)
        return tuple((name, type_, required) for name, (type_, required) in found.items())

    def type(self, node: Any) -> str:
        """The JSON type without its nullability; ``any`` where nothing is said."""
        if not isinstance(node, dict):
            return "any"
        type_ = node.get("type")
        if isinstance(type_, list):
            kinds = sorted(str(kind) for kind in type_ if kind != "null")
            return "|".join(kinds) or "any"
        if isinstance(type_, str):
            return type_
        for group in ("anyOf", "oneOf", "allOf"):
            kinds = sorted(
                {self.type(self.resolve(part)) for part in node.get(group) or () if not _is_null(part)} - {"any"}
            )
            if kinds:
                return "|".join(kinds)
        if "properties" in node or "additionalProperties" in node:
            return "object"
        return "array" if "items" in node else "string" if "enum" in node else "any"


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _is_null(node: Any) -> bool:
    return isinstance(node, dict) and node.get("type") == "null"
