"""What `--json` prints that no contract of the bus has: each command's own documents."""

from __future__ import annotations

from typing import Literal

from services.cli.doctor.finding import State
from services.cli.house.record import HouseRecord, ProcessState
from shared.contracts.documents import Document, JobDocument, RowDocument
from shared.contracts.message import JobId, Timestamp
from shared.contracts.purging import PurgedJob, PurgePlan
from shared.contracts.states import JobMode
from shared.errors import ErrorBody


class ErrorDocument(Document):
    """What a command failed with; every command prints it in place of its own document."""

    error: ErrorBody


class ServiceDocument(Document):
    """One process of a service; `host` where it answered on the bus, not where a supervisor wrote it down."""

    name: str
    pid: int | None
    state: ProcessState
    host: str | None = None


class StatusDocument(Document):
    """`tally status`: which services run, and the addresses of bus, carrier and console."""

    services: tuple[ServiceDocument, ...]
    nats_url: str
    carrier_url: str | None
    console_url: str | None
    data_dir: str


class VoidDocument(Document):
    """`tally void`: the job and the rows that were voided, or are to be where that was not confirmed."""

    job: JobDocument
    rows: tuple[RowDocument, ...]


class PurgeDocument(Document):
    """`tally purge`: what was to go, and what is gone."""

    plan: PurgePlan
    purged: tuple[PurgedJob, ...]


class AuditFileDocument(Document):
    """`tally audit -o`: the file that was written and how many entries are in it."""

    file: str
    entries: int


class LabelsDocument(Document):
    """`tally labels`: the file or folder that was written, with how many labels and invoices of which rows.

    `pages` are a PDF's. Of the other rows asked for, `due` ones wait for their labels, `voided` ones gave them back.
    Of those `not_shipped` by this job `shipped_by` has the ones that other jobs shipped, by job.
    """

    job_id: JobId
    file: str
    format: Literal["pdf", "zpl", "epl", "files"]
    labels: int
    invoices: int
    pages: int | None
    rows: tuple[int, ...]
    due: tuple[int, ...]
    voided: tuple[int, ...]
    not_shipped: tuple[int, ...]
    shipped_by: dict[JobId, tuple[int, ...]]
    invoices_left_out: int


class ExplanationDocument(Document):
    """`tally explain`: an entry of the registry; a value that a sentence is made of stands there as `{name}`."""

    code: str
    title: str
    section: str
    cause: str
    action: str
    retryable: bool


class ModeDocument(Document):
    """`set mode` in a session: how its batches ship from here on."""

    mode: JobMode


class LedgerDocument(Document):
    """How often the carrier holds a job's rows: once, never or twice; `holds` where every row is there once."""

    rows: int
    once: int
    never: tuple[int, ...]
    twice: tuple[int, ...]
    holds: bool


class DemoDocument(Document):
    """`tally demo`: the job, what it made where, the process that was killed and what the carrier's ledger says."""

    job: JobDocument
    orders: str
    data_dir: str
    labels: str
    killed_pid: int | None
    restarted_pid: int | None
    ledger: LedgerDocument


class LeftoversEnded(Document):
    """Processes of an earlier house, whose supervisor was killed, were ended."""

    event: Literal["ended_leftovers"]
    at: Timestamp
    names: tuple[str, ...]


class HouseReady(HouseRecord):
    """Every service runs."""

    event: Literal["ready"]
    at: Timestamp


class HouseNoticed(Document):
    """Something that a person should know."""

    event: Literal["noticed"]
    at: Timestamp
    text: str


class ProcessDied(Document):
    """A process ended and is started again in `restart_in` seconds; `log` has what it said."""

    event: Literal["died"]
    at: Timestamp
    name: str
    pid: int | None
    how: str
    restart_in: float
    log: str


class ProcessRunsAgain(Document):
    """A process that died runs again."""

    event: Literal["runs_again"]
    at: Timestamp
    name: str
    pid: int | None


class HouseStops(Document):
    """The house stops, or has stopped."""

    event: Literal["stopping", "stopped"]
    at: Timestamp


UpLine = LeftoversEnded | HouseReady | HouseNoticed | ProcessDied | ProcessRunsAgain | HouseStops


class FindingDocument(Document):
    """One thing that `tally doctor` looked at: how it is, and what to do about it."""

    check: str
    state: State
    what: str
    do: str
    decide: bool


class DoctorDocument(Document):
    """What `tally doctor --json` prints; `healthy` where nothing is a problem."""

    healthy: bool
    findings: tuple[FindingDocument, ...]
