"""Several rows of one order, as one: what any of them says, where none says otherwise; its parcels and its goods."""

from __future__ import annotations

from collections.abc import Sequence

from services.coordinator.mapping.fields import CUSTOMS_LINE, MOST_NUMBERED, PACKAGE_FIELDS, PLACES, Fields, numbered
from shared.errors import ROWS_DISAGREE, ErrorBody, TallyError

# Rows of one order are of several goods; the first one named describes the parcel.
_MAY_DIFFER = frozenset({"description"})
_OF_PACKAGES = frozenset(PACKAGE_FIELDS)
_OF_LINES = frozenset(numbered(field, number) for number in range(1, MOST_NUMBERED + 1) for field in CUSTOMS_LINE)

NumberedFields = tuple[int, Fields]


def merged(rows: Sequence[NumberedFields], *, packages_by_row: bool = False, customs_by_row: bool = False) -> Fields:
    """The fields of an order from those of its rows, each with its number in the source.

    A field is what the first row says that does not leave it blank. One that rows say differently is blank and has its
    E-2014 error among the problems, and so does one that cannot be rendered in any of them. With `packages_by_row` each
    row keeps the fields of a parcel for itself, with `customs_by_row` those of a line for customs.
    """
    (_, first), *others = rows
    if not others:
        return first
    packages = _packages(rows) if packages_by_row else ()
    lines = _lines(rows) if customs_by_row else ()
    kept = (_OF_PACKAGES if packages_by_row else frozenset()) | (_OF_LINES if customs_by_row else frozenset())
    texts: dict[str, str] = {}
    problems: dict[str, ErrorBody] = {}
    named = dict.fromkeys(name for _, fields in rows for name in (*fields.texts, *fields.problems))
    for field in (name for name in named if name in PLACES and name not in kept):
        found = [(number, fields.texts.get(field, "")) for number, fields in rows]
        said = [(number, text) for number, text in found if text.strip()]
        texts[field] = said[0][1] if said else ""
        other = next((number for number, text in said if _alike(text) != _alike(texts[field])), None)
        if other is not None and field not in _MAY_DIFFER:
            body = TallyError(ROWS_DISAGREE, field=field, row_a=said[0][0], row_b=other).body
            problems[field] = body.model_copy(update={"field": field})
        for _, fields in rows:
            if field in fields.problems:
                problems.setdefault(field, fields.problems[field])
    return Fields(texts | dict.fromkeys(problems, ""), problems, packages, lines)


def _packages(rows: Sequence[NumberedFields]) -> tuple[NumberedFields, ...]:
    """Each row's parcel; a row that says nothing of one has none, unless no row says anything."""
    parts = _apart(rows, _OF_PACKAGES)
    return tuple(part for part in parts if _says_anything(part[1])) or parts


def _lines(rows: Sequence[NumberedFields]) -> tuple[NumberedFields, ...]:
    """Each row's line for customs, of those that say more than where goods come from."""
    return tuple(part for part in _apart(rows, _OF_LINES) if _says_anything(part[1], but="customs_origin"))


def _apart(rows: Sequence[NumberedFields], names: frozenset[str]) -> tuple[NumberedFields, ...]:
    return tuple((number, _only(fields, names)) for number, fields in rows)


def _only(fields: Fields, names: frozenset[str]) -> Fields:
    return Fields(
        {name: text for name, text in fields.texts.items() if name in names},
        {name: problem for name, problem in fields.problems.items() if name in names},
    )


def _says_anything(fields: Fields, *, but: str = "") -> bool:
    return bool(fields.problems) or any(text.strip() for name, text in fields.texts.items() if name != but)


def _alike(text: str) -> str:
    return " ".join(text.split()).casefold()
