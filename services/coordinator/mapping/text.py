"""Text as sources hold it: its normalised form for comparing, its clean form for a label."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from services.coordinator.mapping.problems import FieldValueError

_LINE_BREAKS_AND_TABS = str.maketrans(dict.fromkeys("\t\n\v\f\r\u2028\u2029", " "))


@lru_cache(maxsize=8192)
def normalised(text: str) -> str:
    """`text` without case, accents, spaces and punctuation, so that ``Ship-To Name`` equals ``ship to name``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def are_clean(texts: Iterable[str]) -> bool:
    """Whether `clean` would leave every one of these as it is; it may say no of some that are."""
    # One look at all of them costs less than one at each.
    together = f"|{'|'.join(texts)}|"
    return together.isprintable() and "  " not in together and "| " not in together and " |" not in together


def clean(text: str) -> str:
    """`text` on one line, with single spaces and nothing invisible in it.

    Line breaks, tabs and every kind of space become one space; invisible formatting characters (zero-width spaces,
    byte-order marks, direction marks) are left out, since no label shows them. Raises FieldValueError for any other
    control character: UPS answers a request that holds one with an empty 200.
    """
    text = text.strip(" ")
    if text.isprintable() and "  " not in text:
        return text
    kept: list[str] = []
    for character in text.translate(_LINE_BREAKS_AND_TABS):
        category = unicodedata.category(character)
        if category in {"Cc", "Cs"}:
            raise FieldValueError(text, f"it holds the control character U+{ord(character):04X}")
        if category != "Cf":
            kept.append(character)
    return " ".join("".join(kept).split())
