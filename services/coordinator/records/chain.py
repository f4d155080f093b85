"""Checks a chain of entries, page by page, against what was hashed when they were written. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from services.coordinator.records.audit import GENESIS, AuditEntry, RegisterEntry

Entry: TypeAlias = AuditEntry | RegisterEntry

# How far an entry may have been moved to be known again.
_NEAR = 50


@dataclass(frozen=True)
class Stored:
    """An entry as the database has it, with the hash that stands beside it."""

    entry: Entry
    hash: str


@dataclass(frozen=True)
class Fault:
    """What is wrong with the entry at `seq`."""

    seq: int
    fault: Literal["changed", "missing", "moved", "added"]
    what: str


class ChainCheck:
    """Walks a chain from its first entry; `anchors` are hashes known from elsewhere, by the `seq` of their entry."""

    def __init__(self, anchors: Mapping[int, str] | None = None) -> None:
        self._anchors = dict(anchors or {})
        self._seq = 0
        self._hash = GENESIS

    @property
    def seq(self) -> int:
        """The last entry that was taken."""
        return self._seq

    def take(self, page: Sequence[Stored]) -> list[Fault]:
        """What is wrong with the next entries, in order of their `seq`."""
        return [fault for stored in page for fault in self._take(stored)]

    def end(self, seq: int, head: str) -> list[Fault]:
        """What is wrong at the chain's end, which is to be entry `seq` with the hash `head`."""
        faults = []
        if self._seq < seq:
            faults.append(_missing(self._seq + 1, seq))
        elif self._seq > seq:
            faults.append(Fault(seq + 1, "added", f"entries {seq + 1} to {self._seq} were not written by Tallyman"))
        elif self._hash != head:
            faults.append(Fault(seq, "changed", f"entry {seq} is not the last one that was written"))
        beyond = [anchor for anchor in self._anchors if anchor > max(seq, self._seq)]
        if beyond:
            faults.append(_missing(max(seq, self._seq) + 1, max(beyond)))
        return faults

    def _take(self, stored: Stored) -> Iterator[Fault]:
        entry = stored.entry
        follows = entry.seq == self._seq + 1
        if not follows:
            yield _missing(self._seq + 1, entry.seq - 1)
        anchor = self._anchors.pop(entry.seq, None)
        if entry.hash != stored.hash:
            yield _changed_or_moved(stored)
        elif follows and entry.previous_hash != self._hash:
            yield Fault(
                self._seq, "changed", f"entry {self._seq} is not the one that entry {entry.seq} was written after"
            )
        elif anchor is not None and anchor != stored.hash:
            yield Fault(entry.seq, "changed", f"entry {entry.seq} is not the one that the register knows")
        self._seq, self._hash = entry.seq, stored.hash


def _changed_or_moved(stored: Stored) -> Fault:
    seq = stored.entry.seq
    for was in range(max(1, seq - _NEAR), seq + _NEAR + 1):
        if replace(stored.entry, seq=was).hash == stored.hash:
            return Fault(seq, "moved", f"entry {seq} was written as entry {was}")
    return Fault(seq, "changed", f"entry {seq} is not as it was written")


def _missing(first: int, last: int) -> Fault:
    which = f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
    return Fault(first, "missing", which)
