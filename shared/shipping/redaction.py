"""Takes personal data out of texts that are kept: a carrier's words, what a person typed."""

from __future__ import annotations

import re

from shared.shipping.address import Contact

LEFT_OUT = "[…]"
_SHORTEST = 3
_EMAIL = re.compile(r"[^\s@<>,;:()]+@[^\s@<>,;:()]+\.[^\s@<>,;:()]+")
# Ten digits at least, grouped however people write them; a tracking number with letters in it is none.
_PHONE = re.compile(r"(?<![\w-])[+(]*(?:\d[\s()./-]{0,3}){9,}\d(?![\w-])")


def without_contact(words: str, contact: Contact) -> str:
    """`words` without the contact's name, company, streets, phone and e-mail address.

    City, state and postal code stay: they are what most refusals of carriers are about.
    """
    private = (contact.name, contact.company, contact.phone, contact.email, *contact.address.lines)
    for value in sorted(private, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", LEFT_OUT, words, flags=re.IGNORECASE)
    return words


def without_personal_data(words: str, contact: Contact) -> str:
    """The same, and without any e-mail address or phone number."""
    return _PHONE.sub(LEFT_OUT, _EMAIL.sub(LEFT_OUT, without_contact(words, contact)))
