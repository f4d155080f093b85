"""Addresses as they may be shown."""

from __future__ import annotations

import re


def without_credentials(url: str) -> str:
    """`url` as it may be shown: without a user, password or token."""
    return re.sub(r"//[^/@,]*@", "//", url)
