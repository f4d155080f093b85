"""Several rows of one order, as one: what any of them says, where none says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from services.coordinator.mapping.fields import FIELDS, Fields
from shared.errors import ROWS_DISAGREE, ErrorBody, TallyError

# Rows of one order are of several goods; the first one named describes the parcel.
_MAY_DIFFER = frozenset({"description"})


def merged(rows: Sequence[tuple[int, Fields]]) -> Fields:
    """The fields of an order from those of its rows, each with its number in the source.

    A field is what the first row says that does not leave it blank. One that rows say differently is blank and has its
    E-2014 error among the problems, and so does one that cannot be rendered in any of them.
    """
    (_, first), *others = rows
    if not others:
        return first
    texts = dict(first.texts)
    problems: dict[str, ErrorBody] = {}
    for field in FIELDS:
        found = [(number, fields.texts.get(field, "")) for number, fields in rows]
        said = [(number, text) for number, text in found if text.strip()]
        texts[field] = said[0][1] if said else ""
        other = next((number for number, text in said if _alike(text) != _alike(texts[field])), None)
        if other is not None and field not in _MAY_DIFFER:
            problems[field] = TallyError(ROWS_DISAGREE, field=field, row_a=said[0][0], row_b=other).body
        for _, fields in rows:
            if field in fields.problems:
                problems.setdefault(field, fields.problems[field])
    return Fields(texts | dict.fromkeys(problems, ""), problems)


def _alike(text: str) -> str:
    return " ".join(text.split()).casefold()
