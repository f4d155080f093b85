"""What mended a job after a fault, as far as it was seen: on the bus, in the audit trail, the ledger, the logs."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.ledger import Claimed, Shipped
from tests.crash.books import Books, Job
from tests.crash.rig import Rig

REDELIVERY = "redelivery"
WATCHDOG = "watchdog"
FREED = "its slot freed for the next command"
FOUND = "look-up that found the label"
NOT_FOUND = "look-up that found none"
RECONNECT = "reconnect"
RETRY = "repeated carrier call"
WRITE_RETRY = "repeated write-back"
TOPOLOGY = "streams made anew"
RESTART = "restart"
PERSON = "a person's resume"
INTERRUPTED = "taken up again on start"
FENCED = "late claim refused"
LATE = "late ledger"
OTHERS = "another replica"
NOTHING = "nothing was left to mend"

# What a process says in its log when it mends something.
_SAID = {
    "a write-back was lost; published again": WATCHDOG,
    "bringing the topology up again": TOPOLOGY,
    "reconnected to the bus": RECONNECT,
    "carrier call repeated": RETRY,
    "write-back failed; trying again": WRITE_RETRY,
    "the claim was taken over": FENCED,
}
_MOVES = {
    "coordinator": ("row.", "job.", "write_back."),
    "shipper": ("row.shipped", "row.failed", "row.in_doubt"),
    "writeback": ("write_back.",),
    "nats": ("row.shipped", "row.failed", "row.in_doubt", "write_back."),
    "sandbox": ("row.shipped", "row.failed", "row.in_doubt"),
}


def healed_by(rig: Rig, books: Books, since: datetime) -> tuple[str, ...]:
    """What was seen to mend the job since the fault; nothing, where nothing had to be."""
    seen = dict.fromkeys(_by_the_job(books, since))
    if any(moment > since for moment in rig.heard.redeliveries):
        seen[REDELIVERY] = None
    if any(moment > since for moment in rig.heard.freed_slots):
        seen[FREED] = None
    for process in rig.services:
        for line in (line for life in process.lives for line in life.lines if line.at > since):
            seen.update((kind, None) for words, kind in _SAID.items() if words in line.text)
    return tuple(sorted(seen))


def _by_the_job(books: Books, since: datetime) -> list[str]:
    seen = []
    for entry in books.job.trail:
        if entry.at > since and entry.action == "row.reissued":
            seen.append(WATCHDOG)
        if entry.at > since and entry.action == "job.interrupted":
            seen.append(INTERRUPTED)
    if any(books.late.values()):
        seen.append(LATE)
    outcomes = (entry for entries in books.ledger.values() for entry in entries if not isinstance(entry, Claimed))
    looked_up = (outcome for outcome in outcomes if outcome.evidence)
    seen.extend(FOUND if isinstance(outcome, Shipped) and outcome.adopted else NOT_FOUND for outcome in looked_up)
    return seen


def recovered_in(books: Books, target: str, since: datetime) -> float | None:
    """The seconds from a fault until the job took the next step of the kind that the target has a hand in."""
    return next_move(books.job, target, since)


def next_move(job: Job, target: str, since: datetime) -> float | None:
    """The same, by the audit trail alone."""
    moments = (entry.at for entry in job.trail if entry.action.startswith(_MOVES[target]) and entry.at > since)
    first = next(moments, None)
    return None if first is None else (first - since).total_seconds()
