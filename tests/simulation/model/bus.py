"""The bus in the small: one job's command slot, the ledger as a register per row, the feed of its entries, reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from shared.contracts.ledger import LastKind


@dataclass(frozen=True)
class Command:
    """A ship command."""

    row: int
    attempt: int
    epoch: int
    recover: bool
    not_after: datetime


@dataclass(frozen=True)
class Entry:
    """A ledger entry; `number` is the tracking number of a sale."""

    kind: LastKind
    row: int
    attempt: int
    epoch: int
    claim_id: int
    claimed_at: datetime
    last_commit: datetime | None
    number: int | None = None


class Bus:
    """What the server holds. Deliveries of the feed are made in any order and as often as the world likes."""

    def __init__(self, *, compare_and_set: bool = True, fresh_sequences: bool = True) -> None:
        self.epoch = 1
        self.fresh_sequences = fresh_sequences
        self._sequence = count(1)
        self.compare_and_set = compare_and_set
        self._forget()

    def lose_the_store(self) -> None:
        """Everything is gone; sequences start beyond those that were (see shared/bus/topology.py)."""
        self.epoch += 1
        if not self.fresh_sequences:
            self._sequence = count(1)
        self._forget()

    def _forget(self) -> None:
        self.slot: tuple[int, Command] | None = None
        self.delivered = 0
        self.feed: dict[tuple[int, int], Entry] = {}
        self.reports: list[Command] = []
        self._register: dict[int, tuple[int, Entry]] = {}

    def put(self, command: Command) -> bool:
        """Publish into the slot; False where it is occupied."""
        if self.slot is not None:
            return False
        self.slot = next(self._sequence), command
        self.delivered = 0
        return True

    def take_out(self, epoch: int, sequence: int) -> None:
        """Acknowledge or delete the command with this sequence; nothing happens where it is gone."""
        if self.slot is not None and (self.epoch, self.slot[0]) == (epoch, sequence):
            self.slot = None

    def last(self, row: int) -> tuple[int, Entry] | None:
        """A row's last entry and its sequence."""
        return self._register.get(row)

    def append(self, entry: Entry, expected_last: int) -> int | None:
        """Append by compare-and-set; the new sequence, or None where somebody else wrote first."""
        last = self.last(entry.row)
        if self.compare_and_set and (0 if last is None else last[0]) != expected_last:
            return None
        sequence = self.append_late(entry)
        self._register[entry.row] = sequence, entry
        return sequence

    def append_late(self, entry: Entry) -> int:
        """Append to the late ledger: the feed has it, the register does not."""
        sequence = next(self._sequence)
        if entry.kind != "claimed":
            self.feed[self.epoch, sequence] = entry
        return sequence
