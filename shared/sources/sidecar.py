"""The file beside a source that tracking numbers go to where they cannot go into it."""

from __future__ import annotations

from pathlib import PurePath


def sidecar_name(path: str) -> str:
    """Its name, for the source at `path`: orders.tracking.csv for orders.xlsx."""
    return f"{PurePath(path).stem}.tracking.csv"
