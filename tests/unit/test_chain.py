"""A chain that was tampered with is found out, and where."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.coordinator.records.audit import GENESIS, AuditEntry, AuditTrail
from services.coordinator.records.chain import ChainCheck, Fault, Stored

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def chain(length: int = 6) -> list[Stored]:
    trail = AuditTrail("job", 0, GENESIS, AT)
    for number in range(1, length + 1):
        trail.add("row.shipped", actor="shipper", row=number, cost=f"{number}.00 USD")
    return [Stored(entry, known) for entry, known in zip(trail.entries, trail.hashes, strict=True)]


def faults(
    stored: Sequence[Stored],
    *,
    end: tuple[int, str] | None = None,
    anchors: dict[int, str] | None = None,
    page: int = 2,
) -> list[Fault]:
    whole = chain()
    check = ChainCheck(anchors)
    found = [fault for start in range(0, len(stored), page) for fault in check.take(stored[start : start + page])]
    return found + check.end(*(end or (len(whole), whole[-1].hash)))


def places(found: Sequence[Fault]) -> list[tuple[int, str]]:
    return [(fault.seq, fault.fault) for fault in found]


def forged(stored: Stored, **detail: str) -> AuditEntry:
    assert isinstance(stored.entry, AuditEntry)
    return replace(stored.entry, detail=detail)


def rewritten(stored: Stored, **detail: str) -> Stored:
    """A forged entry whose own hash fits."""
    entry = forged(stored, **detail)
    return Stored(entry, entry.hash)


@pytest.mark.parametrize("page", [1, 2, 100])
def test_a_chain_as_it_was_written_has_no_fault(page: int) -> None:
    whole = chain()
    assert faults(whole, anchors={1: whole[0].hash, 6: whole[5].hash}, page=page) == []


def test_a_changed_entry_is_found() -> None:
    whole = chain()
    whole[2] = Stored(forged(whole[2], cost="0.01 USD"), whole[2].hash)
    assert places(faults(whole)) == [(3, "changed")]


def test_a_changed_entry_with_a_hash_to_match_is_found_by_the_next_one() -> None:
    whole = chain()
    whole[2] = rewritten(whole[2], cost="0.01 USD")
    assert places(faults(whole)) == [(3, "changed")]


def test_a_changed_last_entry_with_a_hash_to_match_is_found_by_the_head() -> None:
    whole = chain()
    whole[5] = rewritten(whole[5], cost="0.01 USD")
    assert places(faults(whole)) == [(6, "changed")]


@pytest.mark.parametrize(("gone", "words"), [([2], "entry 3 is missing"), ([1, 2], "entries 2 to 3 are missing")])
def test_missing_entries_are_found(gone: list[int], words: str) -> None:
    kept = [stored for place, stored in enumerate(chain()) if place not in gone]
    assert [fault.what for fault in faults(kept)] == [words]


def test_a_missing_first_entry_is_found() -> None:
    assert places(faults(chain()[1:])) == [(1, "missing")]


def test_a_missing_last_entry_is_found_by_the_jobs_own_count() -> None:
    assert places(faults(chain()[:-1])) == [(6, "missing")]


def test_a_chain_cut_short_with_its_count_is_found_by_an_anchor() -> None:
    whole = chain()
    cut = whole[:-1]
    assert places(faults(cut, end=(5, cut[-1].hash), anchors={6: whole[-1].hash})) == [(6, "missing")]


def test_a_chain_written_anew_from_an_entry_on_is_found_by_an_anchor() -> None:
    whole, forged = chain(), AuditTrail("job", 0, GENESIS, AT)
    for number in range(1, 7):
        forged.add("row.shipped", actor="shipper", row=number, cost="0.01 USD")
    stored = [Stored(entry, known) for entry, known in zip(forged.entries, forged.hashes, strict=True)]
    assert places(faults(stored, end=(6, forged.head), anchors={6: whole[5].hash})) == [(6, "changed")]


def test_entries_that_changed_places_are_found() -> None:
    whole = chain()
    swapped = [
        *whole[:2],
        Stored(replace(whole[3].entry, seq=3), whole[3].hash),
        Stored(replace(whole[2].entry, seq=4), whole[2].hash),
        *whole[4:],
    ]
    found = faults(swapped)
    assert [fault.what for fault in found[:2]] == ["entry 3 was written as entry 4", "entry 4 was written as entry 3"]


def test_an_added_entry_is_found() -> None:
    longer = chain(7)
    assert places(faults(longer, end=(6, longer[5].hash))) == [(7, "added")]


def test_nothing_at_all_is_a_missing_trail() -> None:
    assert places(faults([])) == [(1, "missing")]
