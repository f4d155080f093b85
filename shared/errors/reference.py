"""The registry as a person looks it up: `docs/errors.md`, and one entry by its code.

`python -m shared.errors.reference docs/errors.md` writes the page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from shared.errors import REGISTRY, ErrorKind

SECTIONS = {
    "1": "Source",
    "2": "Request, mapping and validation",
    "3": "Carrier",
    "4": "Bus, job database and write-back",
    "5": "Authentication and configuration",
}
_NEAR = 5
_CODE = re.compile(r"E?-?(\d{4})", re.IGNORECASE)
_VALUE = re.compile(r"\{(\w+)\}")
_INTRODUCTION = """# Errors

What `tally explain CODE` prints, for every code. A word in `this type` stands for the value at hand. "Again" says
whether the same thing may succeed when it is tried again with nothing changed.
"""


def find(code: str) -> ErrorKind | None:
    """The entry of a code as a person types it: `E-3012`, `e3012` or `3012`; None where there is none."""
    typed = _CODE.fullmatch(code.strip())
    return REGISTRY.get(f"E-{typed[1]}") if typed else None


def near(code: str) -> list[str]:
    """The codes nearest to a number that is none, five at most, its own section's first; none to what has no digit."""
    digits = "".join(re.findall(r"\d", code))[:4].ljust(4, "0")
    if not re.search(r"\d", code):
        return []
    number = int(digits)

    def distance(known: str) -> tuple[bool, int]:
        return known[2] != digits[0], abs(int(known[2:]) - number)

    return sorted(sorted(REGISTRY), key=distance)[:_NEAR]


def section(kind: ErrorKind) -> str:
    """What an entry's section is about."""
    return SECTIONS[kind.code[2]]


def with_values(sentence: str, form: str) -> str:
    """A cause or an action with each of its values written as `form`, in which `{}` is the value's name in words."""
    return _VALUE.sub(lambda value: form.replace("{}", value[1].replace("_", " ")), sentence)


def page() -> str:
    """`docs/errors.md`."""
    parts = [_INTRODUCTION]
    for digit, title in SECTIONS.items():
        parts.append(f"## E-{digit}xxx: {title[:1].lower()}{title[1:]}\n")
        parts += [_entry(kind) for code, kind in sorted(REGISTRY.items()) if code[2] == digit]
    return "\n".join(parts)


def _entry(kind: ErrorKind) -> str:
    cause, action = with_values(kind.cause, "`{}`"), with_values(kind.action, "`{}`")
    again = "yes" if kind.retryable else "no"
    return f"### {kind.code} {kind.title}\n\n{cause}\n\n**What to do:** {action} **Again:** {again}.\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
