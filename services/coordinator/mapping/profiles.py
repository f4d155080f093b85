"""Profiles: built-in mappings for the order exports of platforms, told by their headers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from services.coordinator.mapping.mapping import Mapping, built_in_mapping, load_mapping

AUTO, GENERIC = "auto", "default"
PROFILES = ("shopify", "woocommerce", "amazon", "ebay", "etsy", "shipstation")


def choose_mapping(name: str, columns: Sequence[str], roots: Sequence[Path]) -> Mapping:
    """The mapping that a request names; with `auto` the profile that the columns are those of, else the generic one.

    Of several the one counts that asks for most headers. Raises as load_mapping does.
    """
    if name != AUTO:
        return load_mapping(name, roots)
    recognised = [profile for profile in profiles() if profile.recognises(columns)]
    return max(recognised, key=lambda profile: len(profile.match), default=built_in_mapping(GENERIC))


@cache
def profiles() -> tuple[Mapping, ...]:
    """Every profile."""
    return tuple(built_in_mapping(name) for name in PROFILES)
