"""Every stream and subject of the bus by name (DESIGN §3); a job id is one subject token."""

from __future__ import annotations

REQUESTS = "REQUESTS"
COMMANDS = "COMMANDS"
LEDGER = "LEDGER"
OUTCOMES = "OUTCOMES"
EVENTS = "EVENTS"
PLACES = "PLACES"
PARKED = "PARKED"

SUBMIT = "tally.requests.submit"
RATES_QUOTE = "tally.rates.quote"
ADDRESSES_CHECK = "tally.addresses.check"
LABELS_RECOVER = "tally.labels.recover"
LABELS_DROP = "tally.labels.drop"
LABELS_GET = "tally.labels.get"
SHIPMENTS_FIND = "tally.shipments.find"
SOURCES_RESTORE = "tally.sources.restore"
STATUS = "tally.status"
LEDGER_KNOWN = "tally.known.ledger"

EVERYTHING = "tally.>"
ALL_REQUESTS = "tally.requests.>"
ALL_COMMANDS = "tally.commands.>"
ALL_SHIP_COMMANDS = "tally.commands.ship.*"
ALL_WRITEBACK_COMMANDS = "tally.commands.writeback.*.*.*"
ALL_VOID_COMMANDS = "tally.commands.void.*.*"
ALL_LEDGER = "tally.ledger.*.*"
ALL_LATE_LEDGER = "tally.ledger-late.*.*"
ALL_OUTCOMES = "tally.outcomes.>"
ALL_WRITEBACK_OUTCOMES = "tally.outcomes.writeback.*"
ALL_ABANDONED = "tally.outcomes.abandoned.*"
ALL_VOID_OUTCOMES = "tally.outcomes.void.*"
ALL_EVENTS = "tally.events.*.*"
ALL_PLACES = "tally.places.*"
ALL_RESTS = "tally.rests.*"
ALL_PARKED = "tally.parked.*.*"

NO_JOB = "none"


def ship_command(job_id: str) -> str:
    """The one slot for a job's ship command."""
    return f"tally.commands.ship.{job_id}"


def writeback_command(source_hash: str, job_id: str, row_number: int) -> str:
    """The slot for one row's write-back."""
    return f"tally.commands.writeback.{source_hash}.{job_id}.{row_number}"


def void_command(job_id: str, row_number: int) -> str:
    """The slot for voiding a label of one row."""
    return f"tally.commands.void.{job_id}.{row_number}"


def ledger(job_id: str, row_number: int) -> str:
    """One row's register."""
    return f"tally.ledger.{job_id}.{row_number}"


def late_ledger(job_id: str, row_number: int) -> str:
    """Where an outcome goes that the register refused."""
    return f"tally.ledger-late.{job_id}.{row_number}"


def ledger_of(job_id: str) -> str:
    """The registers of all rows of a job."""
    return f"tally.ledger.{job_id}.*"


def late_ledger_of(job_id: str) -> str:
    """All outcomes of a job that registers refused."""
    return f"tally.ledger-late.{job_id}.*"


def events_of(job_id: str) -> str:
    """All events of a job."""
    return f"tally.events.{job_id}.*"


def abandoned(job_id: str) -> str:
    """Where a ship command is reported that no shipper came to an end with."""
    return f"tally.outcomes.abandoned.{job_id}"


def writeback_outcome(source_hash: str) -> str:
    """Where the flushes of a source are reported."""
    return f"tally.outcomes.writeback.{source_hash}"


def void_outcome(job_id: str) -> str:
    """Where the voids of a job are reported."""
    return f"tally.outcomes.void.{job_id}"


def event(job_id: str | None, event_type: str) -> str:
    """One event of a job; a rejection without a usable id goes to `tally.events.none.rejected`."""
    return f"tally.events.{job_id or NO_JOB}.{event_type}"


def account_places(account: str) -> str:
    """The register of who may make how many calls of a carrier account, which is named by a hash."""
    return f"tally.places.{account}"


def account_rests(account: str) -> str:
    """Where shippers tell one another that a carrier account rests."""
    return f"tally.rests.{account}"


def parked(stream: str, sequence: int | str) -> str:
    """Where it is told that a message waits for a reader of its version."""
    return f"tally.parked.{stream}.{sequence}"


def api(call: str) -> str:
    """A control call."""
    return f"tally.api.{call}"
