"""The bus as an AsyncAPI document, from the message models: `make docs` writes docs/asyncapi.json.

The services take raw bodies and validate by hand, so FastStream cannot see their types; the channels are declared here
once more, with their models, on a broker that never connects.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI

from shared.contracts import subjects
from shared.contracts.addresses import AddressFindings, AddressQuestion
from shared.contracts.api import (
    ApproveJob,
    AskStatus,
    CompareServices,
    ControlJob,
    FetchLabel,
    InspectSource,
    ListJobs,
    ListRows,
    PreviewProgress,
    PreviewSource,
    Reply,
    ResolveRow,
    RestartJob,
    RestoreJob,
    ServiceStatus,
    ShowJob,
    ShowRow,
    VerifyJob,
    VoidRows,
)
from shared.contracts.audit import ListAudit, VerifyAudit
from shared.contracts.commands import ShipCommand, ShipCommandAbandoned, VoidCommand, WritebackCommand
from shared.contracts.events import JobEvent
from shared.contracts.labels import GetLabel, LabelChunk
from shared.contracts.ledger import KnownLedger, LedgerEntry, Shipped
from shared.contracts.lookups import FindShipment, LabelRecovered, RecoverLabel, ShipmentSought
from shared.contracts.parking import Parked
from shared.contracts.places import AccountPlaces, AccountRests
from shared.contracts.purging import DropLabels, LabelsDropped, PlanPurge, PurgeJob, RewriteDatabase
from shared.contracts.rates import QuoteReply, QuoteRequest
from shared.contracts.refusals import RefusedOrders
from shared.contracts.report import ShowReport
from shared.contracts.requests import JobRequest
from shared.contracts.restoring import RestoreSource
from shared.contracts.voiding import VoidOutcome
from shared.contracts.writeback import SourceWritten

# Subject, who takes it, the message, the reply where it is a request, and what it is.
CHANNELS: tuple[tuple[str, str, Any, Any, str], ...] = (
    (subjects.SUBMIT, "coordinator", JobRequest, None, "A job request, durable once the publisher has its PubAck."),
    (subjects.ship_command("{job}"), "shipper", ShipCommand, None, "Buy one row's label."),
    (
        "tally.commands.writeback.{source}.{job}.{row}",
        "writeback",
        WritebackCommand,
        None,
        "Write one row's tracking number into its source.",
    ),
    (
        "tally.commands.void.{job}.{row}",
        "shipper",
        VoidCommand,
        None,
        "Give one shipment back to the carrier.",
    ),
    ("tally.ledger.{job}.{row}", "coordinator", LedgerEntry, None, "One row's register in the shipment ledger."),
    (
        "tally.ledger-late.{job}.{row}",
        "coordinator",
        Shipped,
        None,
        "A sale whose claim was taken over before it could be recorded.",
    ),
    (subjects.writeback_outcome("{source}"), "coordinator", SourceWritten, None, "One flush to one source."),
    (
        subjects.abandoned("{job}"),
        "coordinator",
        ShipCommandAbandoned,
        None,
        "A ship command that no shipper came to an outcome with.",
    ),
    (subjects.void_outcome("{job}"), "coordinator", VoidOutcome, None, "What the carrier said to a void."),
    ("tally.events.{job}.{type}", "clients", JobEvent, None, "A job's life, replayable from the first."),
    (
        "tally.parked.{stream}.{sequence}",
        "every service",
        Parked,
        None,
        "A message that waits for a process that reads its version.",
    ),
    (subjects.RATES_QUOTE, "shipper", QuoteRequest, QuoteReply, "Rate quotes."),
    (subjects.ADDRESSES_CHECK, "shipper", AddressQuestion, AddressFindings, "What the carrier knows of addresses."),
    (subjects.LABELS_RECOVER, "shipper", RecoverLabel, LabelRecovered, "Fetch and store a label that is due."),
    (subjects.LABELS_DROP, "shipper", DropLabels, LabelsDropped, "Delete a job's labels and invoices."),
    (subjects.LABELS_GET, "shipper", GetLabel, LabelChunk, "Read a label or an invoice from the label store."),
    (subjects.SHIPMENTS_FIND, "shipper", FindShipment, ShipmentSought, "Look a row in doubt up once more."),
    (
        subjects.LEDGER_KNOWN,
        "coordinator",
        KnownLedger,
        KnownLedger,
        "The ledger is behind what it is known to have had: an empty one is to take its place.",
    ),
    (
        subjects.SOURCES_RESTORE,
        "writeback",
        RestoreSource,
        Reply,
        "Put a source back as it was before a job first wrote to it.",
    ),
    (
        subjects.account_places("{account}"),
        "shipper",
        AccountPlaces,
        None,
        "Who may make how many calls of a carrier account at once: a register.",
    ),
    (
        subjects.account_rests("{account}"),
        "shipper",
        AccountRests,
        None,
        "A carrier account makes no calls for a while.",
    ),
    (subjects.STATUS, "every service", AskStatus, ServiceStatus, "Who is there: every process answers."),
    (subjects.api("list"), "coordinator", ListJobs, Reply, "The newest jobs."),
    (subjects.api("show"), "coordinator", ShowJob, Reply, "One job."),
    (subjects.api("rows"), "coordinator", ListRows, Reply, "A page of a job's rows."),
    (subjects.api("row"), "coordinator", ShowRow, Reply, "One row."),
    (subjects.api("resolve"), "coordinator", ResolveRow, Reply, "Record what a person found out about a row in doubt."),
    (subjects.api("restart"), "coordinator", RestartJob, Reply, "Do a job over as a new one."),
    (subjects.api("void"), "coordinator", VoidRows, Reply, "Give the labels of shipped rows back to the carrier."),
    (subjects.api("fetch-label"), "coordinator", FetchLabel, Reply, "Fetch a row's lost label from the carrier again."),
    (subjects.api("restore"), "coordinator", RestoreJob, Reply, "Put a job's source back, or tell what that replaces."),
    (subjects.api("preview"), "coordinator", PreviewSource, Reply, "What a source would cost."),
    (subjects.api("compare"), "coordinator", CompareServices, Reply, "What a source would cost by each service."),
    ("_INBOX.{caller}", "clients", PreviewProgress, None, "How far a preview is; to the inbox its caller named."),
    (subjects.api("verify"), "coordinator", VerifyJob, Reply, "A job's tracking numbers against its source."),
    (subjects.api("audit"), "coordinator", ListAudit, Reply, "A page of a job's audit trail."),
    (subjects.api("verify-audit"), "coordinator", VerifyAudit, Reply, "Whether the audit trail is as it was written."),
    (subjects.api("report"), "coordinator", ShowReport, Reply, "What a job cost, took and left open."),
    (subjects.api("plan-purge"), "coordinator", PlanPurge, Reply, "Which jobs are old enough to be purged."),
    (subjects.api("purge"), "coordinator", PurgeJob, Reply, "Remove a job's personal data, labels and ledger entries."),
    (subjects.api("rewrite-database"), "coordinator", RewriteDatabase, Reply, "Leave nothing deleted in its file."),
    (subjects.api("inspect"), "coordinator", InspectSource, Reply, "What a source is and what would become of it."),
    ("_INBOX.{inspector}", "clients", RefusedOrders, None, "Orders that cannot ship; to the inbox an inspector named."),
    (
        subjects.api("approve"),
        "coordinator",
        ApproveJob,
        Reply,
        "Approve a job's preview, for the total that was seen.",
    ),
    *(
        (subjects.api(call), "coordinator", ControlJob, Reply, f"{call.capitalize()} a job.")
        for call in ("reject", "pause", "resume", "cancel")
    ),
)


def document() -> str:
    """The AsyncAPI document as JSON."""
    broker = NatsBroker("nats://127.0.0.1:4222")
    for subject, taker, message, reply, text in CHANNELS:
        answered = "" if reply is None else f" Answered with {reply.__name__}."
        broker.subscriber(subject, title=subject, description=f"{text} Taken by: {taker}.{answered}")(_taking(message))
    specification = AsyncAPI(
        broker,
        title="Tallyman",
        version="0.1.0",
        description="Every message on the bus (JetStream and core NATS). A reader ignores fields it does not know.",
    )
    found = json.loads(specification.to_specification().to_json())
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _taking(message: Any) -> Callable[[Any], Awaitable[None]]:
    async def handle(body: Any) -> None: ...

    handle.__annotations__ = {"body": message, "return": None}
    return handle


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
