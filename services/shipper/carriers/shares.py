"""Who may make how many calls of a carrier account: one decision over the register that all its shippers share. Pure.

Every shipper has as many places as the others, to one. One that comes has only what others have given up: each gives
up what is beyond its part as its calls end, and writes that down by compare-and-set. A share is a lease: its holder
starts no call after it, measured from before it was written; the others take its places `skew` after it ended by their
own clocks, so the limit holds as long as no two clocks are further apart than that.

A call that was begun within a lease and lasts longer than it (its shipper was cut off, or frozen) is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.places import AccountPlaces, Share


@dataclass(frozen=True)
class Terms:
    """The account's limit as this shipper's settings have it; how long a share lasts, how far apart clocks may be."""

    limit: int
    lease: timedelta = timedelta(seconds=3)
    skew: timedelta = timedelta(seconds=1)


@dataclass(frozen=True)
class Holding:
    """What a shipper has at a moment: the places of its running lease (None without one), and how many are in use."""

    shipper: str
    leased: int | None = None
    in_use: int = 0


def fair_part(found: AccountPlaces, holding: Holding, now: datetime, terms: Terms) -> int:
    """The places that are the shipper's part among those there are at `now`."""
    others = _others(found, holding, now, terms)
    limit = _limit(others, terms)
    ranked = sorted((*others, holding.shipper))
    part, left_over = divmod(limit, len(ranked))
    return part + (ranked.index(holding.shipper) < left_over)


def renewed(found: AccountPlaces, holding: Holding, now: datetime, terms: Terms) -> AccountPlaces:
    """The register with the shipper's share renewed: its part of what the others leave, and whatever it still uses.

    Before it is written the shipper starts no call beyond its part. Where the register was lost, a running lease is put
    there again as it was, for the others' may be to come.
    """
    others = _others(found, holding, now, terms)
    limit = _limit(others, terms)
    left = max(limit - sum(share.places for share in others.values()), 0)
    before = found.shares.get(holding.shipper)
    if before is not None:
        keeps = min(holding.in_use, before.places)
    elif holding.leased is not None:
        keeps, left = min(holding.in_use, holding.leased), min(left, holding.leased)
    else:
        keeps = 0
    places = min(max(fair_part(found, holding, now, terms), keeps), left)
    mine = Share(places=places, limit=terms.limit, until=now + terms.lease)
    return found.model_copy(update={"shares": {**others, holding.shipper: mine}})


def without(found: AccountPlaces, shipper: str) -> AccountPlaces:
    """The register after a shipper left."""
    return found.model_copy(update={"shares": {name: share for name, share in found.shares.items() if name != shipper}})


def resting(found: AccountPlaces, until: datetime) -> AccountPlaces:
    """The register with a rest in it that lasts until then at least."""
    known = found.rests_until
    return found if known is not None and known >= until else found.model_copy(update={"rests_until": until})


def _others(found: AccountPlaces, holding: Holding, now: datetime, terms: Terms) -> dict[str, Share]:
    """The shares of the others that may still be used."""
    return {
        name: share
        for name, share in found.shares.items()
        if name != holding.shipper and now <= share.until + terms.skew
    }


def _limit(others: dict[str, Share], terms: Terms) -> int:
    """The account's limit: where settings differ, the lowest."""
    return min((terms.limit, *(share.limit for share in others.values())))
