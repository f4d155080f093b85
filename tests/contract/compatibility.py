"""What one release's JSON schema of a message refuses that another release's lets pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_ANY: Schema = {}
# A greater value refuses more of these, a lesser one of those.
_FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SHAPES = ("pattern", "format", "multipleOf", "uniqueItems")


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader of `new` no longer takes of what `old` wrote: removed fields, new duties, narrower types."""
    return [f"{place or 'it'} {what}" for place, what in _Comparison(old, new, fields=True).narrower(old, new, "")]


def news(old: Schema, new: Schema) -> list[str]:
    """What a reader of `old` may meet in a message by `new` and cannot take: wider types; new fields it ignores."""
    return [f"{place or 'it'} {what}" for place, what in _Comparison(new, old, fields=False).narrower(new, old, "")]


class _Comparison:
    """Of a schema that wrote with one that reads; `fields` says whether those that are gone count."""

    def __init__(self, written: Schema, read: Schema, *, fields: bool) -> None:
        self._written = written
        self._read = read
        self._fields = fields
        self._compared: set[tuple[str, str]] = set()

    def narrower(self, written: Schema, read: Schema, place: str) -> Iterator[tuple[str, str]]:
        """Where and how `read` takes less than `written` may hold."""
        names = str(written.get("$ref", "")), str(read.get("$ref", ""))
        if all(names):
            if names in self._compared:
                return
            self._compared.add(names)
        written, read = _resolved(self._written, written), _resolved(self._read, read)
        ways, taken = _alternatives(self._written, written), _alternatives(self._read, read)
        if len(ways) > 1 or len(taken) > 1:
            for way in ways:
                if not any(not list(self._fresh().narrower(way, other, place)) for other in taken):
                    yield place, f"no longer takes {_named(way)}"
            return
        yield from self._value(ways[0], taken[0], place)

    def _value(self, written: Schema, read: Schema, place: str) -> Iterator[tuple[str, str]]:
        if _types(read) and not (_types(written) and _types(written) <= _types(read)):
            yield place, f"takes {_named(read)}, not {_named(written)}"
            return
        values, known = _values(written), _values(read)
        if known is not None and (values is None or not values <= known):
            yield place, f"does not take {sorted(map(str, (values or set()) - known)) or 'every value'}"
        yield from ((place, f"has another {limit}") for limit in _tightened(written, read))
        if "properties" in written or "properties" in read:
            yield from self._object(written, read, place)
        for parts in ("items", "additionalProperties"):
            inner, other = written.get(parts, _ANY), read.get(parts, _ANY)
            if isinstance(inner, Mapping) and isinstance(other, Mapping) and other:
                yield from self.narrower(inner, other, f"{place}[]")
        for number, (inner, other) in enumerate(
            zip(written.get("prefixItems", ()), read.get("prefixItems", ()), strict=False)
        ):
            yield from self.narrower(inner, other, f"{place}[{number}]")

    def _object(self, written: Schema, read: Schema, place: str) -> Iterator[tuple[str, str]]:
        fields, known = written.get("properties", {}), read.get("properties", {})
        if self._fields:
            yield from ((f"{place}.{name}", "is gone") for name in fields if name not in known)
            always = set(written.get("required", ()))
            yield from ((f"{place}.{name}", "is required") for name in read.get("required", ()) if name not in always)
        for name in fields:
            if name in known:
                yield from self.narrower(fields[name], known[name], f"{place}.{name}")

    def _fresh(self) -> _Comparison:
        return _Comparison(self._written, self._read, fields=self._fields)


def _resolved(whole: Schema, part: Schema) -> Schema:
    while "$ref" in part:
        part = whole["$defs"][part["$ref"].rsplit("/", 1)[1]]
    return part


def _alternatives(whole: Schema, part: Schema) -> list[Schema]:
    ways = part.get("anyOf") or part.get("oneOf")
    if not ways:
        return [part]
    return [one for way in ways for one in _alternatives(whole, _resolved(whole, way))]


def _types(schema: Schema) -> set[str]:
    named = schema.get("type", ())
    types = {named} if isinstance(named, str) else set(named)
    return types | {"integer"} if "number" in types else types


def _values(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _tightened(written: Schema, read: Schema) -> Iterator[str]:
    for floor in _FLOORS:
        if floor in read and (floor not in written or read[floor] > written[floor]):
            yield floor
    for ceiling in _CEILINGS:
        if ceiling in read and (ceiling not in written or read[ceiling] < written[ceiling]):
            yield ceiling
    for shape in _SHAPES:
        if shape in read and read[shape] != written.get(shape):
            yield shape


def _named(schema: Schema) -> str:
    return str(schema.get("title") or schema.get("const") or schema.get("type") or "anything")
