"""Addresses as they may be shown."""

from __future__ import annotations

import re


def without_credentials(url: str) -> str:
    """`url`, or several by commas, as it may be shown: without a user, password or token, whatever they contain."""
    return ",".join(_bare(server) for server in re.split(r",(?=\s*\w+://)", url))


def _bare(url: str) -> str:
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
