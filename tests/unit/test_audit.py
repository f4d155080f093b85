"""The audit trail is a chain: a changed or missing entry shows."""

from dataclasses import replace
from datetime import UTC, datetime

from services.coordinator.records.audit import GENESIS, AuditTrail

AT = datetime(2026, 1, 1, tzinfo=UTC)


def trail() -> AuditTrail:
    trail = AuditTrail("job", 0, GENESIS, AT)
    trail.add("job.running", actor="ann", was="pending")
    trail.add("row.in_flight", row=1, attempt=1)
    trail.add("row.shipped", row=1, cost="12.40 USD")
    return trail


def test_each_entry_names_the_hash_of_the_one_before() -> None:
    entries = trail().entries
    assert entries[0].previous_hash == GENESIS
    assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


def test_the_head_is_the_last_entrys_hash() -> None:
    made = trail()
    assert made.head == made.entries[-1].hash == made.hashes[-1]


def test_a_changed_entry_has_another_hash() -> None:
    entry = trail().entries[1]
    assert replace(entry, detail={"attempt": 2}).hash != entry.hash
    assert replace(entry, actor="mallory").hash != entry.hash
    assert replace(entry, at=datetime(2026, 1, 2, tzinfo=UTC)).hash != entry.hash


def test_a_later_transaction_goes_on_where_the_last_one_ended() -> None:
    first = trail()
    second = AuditTrail("job", first.seq, first.head, AT)
    second.add("row.in_flight", row=2, attempt=1)
    assert second.entries[0].seq == 4
    assert second.entries[0].previous_hash == first.head
