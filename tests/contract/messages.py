"""One full example of every message that crosses the bus; the golden files pin what each looks like as JSON."""

from base64 import b64encode
from datetime import UTC, date, datetime
from decimal import Decimal

from shared.contracts.addresses import AddressFinding, AddressFindings, AddressQuestion, KnownAddress
from shared.contracts.api import (
    ApproveJob,
    AskStatus,
    CompareServices,
    ControlJob,
    FetchLabel,
    InspectSource,
    JobList,
    ListJobs,
    ListRows,
    PreviewProgress,
    PreviewSource,
    Reply,
    ResolveRow,
    RestartJob,
    RestoreJob,
    RowList,
    ServiceStatus,
    ShowJob,
    ShowRow,
    VerifyJob,
    VoidRows,
)
from shared.contracts.audit import AuditFault, AuditPage, AuditRecord, AuditVerification, ListAudit, VerifyAudit
from shared.contracts.calls import CarrierCall
from shared.contracts.commands import (
    ShipCommand,
    ShipCommandAbandoned,
    SourcePlace,
    VoidCommand,
    WritebackCommand,
    WrittenValues,
)
from shared.contracts.documents import (
    ComparisonDocument,
    InspectionDocument,
    JobDocument,
    LabelDocument,
    PreviewDocument,
    PreviewRow,
    RowCounts,
    RowDocument,
    SecondLabel,
    ServiceCost,
    SettledOrders,
    ShippedBefore,
    SkippedBy,
    UnverifiedRow,
    VerificationDocument,
    WriteBackCounts,
    WriteBackDocument,
)
from shared.contracts.events import EventType, JobEvent
from shared.contracts.labels import GetLabel, LabelChunk
from shared.contracts.ledger import Claimed, Evidence, Failed, InDoubt, KnownLedger, Shipped
from shared.contracts.lookups import FindShipment, LabelRecovered, RecoverLabel, ShipmentSought
from shared.contracts.parking import Parked
from shared.contracts.places import AccountPlaces, AccountRests, Share
from shared.contracts.purging import (
    DropLabels,
    KeptJob,
    LabelsDropped,
    PlanPurge,
    PurgeableJob,
    PurgedJob,
    PurgeJob,
    PurgePlan,
    RewriteDatabase,
    Rewritten,
)
from shared.contracts.rates import Offer, Quote, QuoteReply, QuoteRequest
from shared.contracts.refusals import RefusedOrder, RefusedOrders
from shared.contracts.report import (
    ChargedRow,
    ReportDocument,
    ShowReport,
    SlowRow,
    UnsettledRow,
    UnwrittenRow,
    ZoneCost,
)
from shared.contracts.requests import JobRequest
from shared.contracts.restoring import Restoration, RestoreSource
from shared.contracts.source import CsvSource, ExcelSource
from shared.contracts.states import InterruptPolicy, JobMode, JobStatus, RowStatus, WriteBackStatus
from shared.contracts.voiding import VoidOutcome
from shared.contracts.writeback import RowWritten, SourceWritten
from shared.errors import ErrorBody
from shared.shipping import (
    Address,
    Contact,
    Customs,
    CustomsLine,
    Dimensions,
    Money,
    Package,
    ServiceLevel,
    Shipment,
    Signature,
    Terms,
)

AT = datetime(2026, 11, 21, 10, 15, 30, tzinfo=UTC)
JOB = "k3v9q2m8xw1dabcd"
EPOCH = "2026-11-21T09:00:00+00:00"
REFERENCE = "TABCDEFGHK3V9Q2M8XW1D0000017"
SOURCE = CsvSource(path="orders.csv")
COST = Money(amount=Decimal("12.40"))
ERROR = ErrorBody(code="E-3001", message="The carrier refused the shipment.", action="Correct the row.", row=17)
AUDIT_RECORD = AuditRecord(
    job_id=JOB,
    seq=41,
    at=AT,
    actor="shipper",
    action="row.shipped",
    row_number=17,
    detail={"attempt": 1, "cost": "12.40 USD"},
    previous_hash="0" * 64,
    hash="1" * 64,
)
CALL = CarrierCall(at=AT, kind="ship", request_id=REFERENCE, carrier_id="a1b2c3", status=200, ms=151)
EVIDENCE = Evidence(at=AT, asked=f"Label Recovery by reference {REFERENCE}", answer="not found (300007)")

SHIPMENT = Shipment(
    ship_from=Contact(
        name="Warehouse",
        phone="5125550100",
        address=Address(lines=("100 Congress Ave",), city="Austin", state="TX", postal_code="78701"),
    ),
    recipient=Contact(
        name="Zoë Ng",
        company="Example Ltd",
        phone="4135550111",
        email="zoe@example.com",
        address=Address(lines=("1 Main St", "Apt 2"), city="Agawam", state="MA", postal_code="01001", residential=True),
    ),
    packages=(
        Package(
            weight=Decimal("2.5"),
            dimensions=Dimensions(length=Decimal(10), width=Decimal(8), height=Decimal(4)),
            description="Books",
        ),
    ),
    service=ServiceLevel.GROUND,
    order_number="1001",
    description="Books",
)

SHIPMENT_ABROAD = Shipment(
    ship_from=SHIPMENT.ship_from,
    shipper=Contact(
        name="Example Inc",
        phone="5125550100",
        address=Address(lines=("1 Main St",), city="Reno", state="NV", postal_code="89501"),
    ),
    recipient=Contact(
        name="Chloé Tremblay",
        phone="6135550123",
        address=Address(lines=("80 Wellington St",), city="Ottawa", state="ON", postal_code="K1A 0A2", country="CA"),
    ),
    packages=(
        Package(weight=Decimal("2.5"), declared_value=Money(amount=Decimal(200))),
        Package(weight=Decimal(4)),
    ),
    service=ServiceLevel.WORLDWIDE_EXPRESS,
    order_number="1002",
    description="Books",
    signature=Signature.ADULT,
    saturday_delivery=True,
    reference="PO 7",
    cost_centre="CC-42",
    customs=Customs(
        lines=(
            CustomsLine(
                description="Hardback books",
                hs_code="49019900",
                origin="US",
                quantity=3,
                unit_value=Decimal("24.50"),
                sku="BK-1",
            ),
        ),
        terms=Terms.DAP,
    ),
)

SETTLED = SettledOrders(reason="fulfilled", count=2, rows=(4, 9))

JOB_DOCUMENT = JobDocument(
    job_id=JOB,
    request_id="orders-2026-11-21",
    name="California orders",
    status=JobStatus.FAILED,
    mode=JobMode.CONFIRM,
    on_interrupt=InterruptPolicy.ASK,
    source=SOURCE,
    where="state = 'CA'",
    requested_by="erp",
    cursor=16,
    rows=RowCounts(total=30, shipped=15, failed=1, skipped=1),
    cost=COST,
    estimate=COST,
    write_back=WriteBackCounts(due=1, written=14),
    error=ERROR,
    created_at=AT,
    started_at=AT,
    ended_at=AT,
    restart_of="0a1b2c3d4e5f6a7b",
    restarted_as="1a2b3c4d5e6f7a8b",
    settled=(SETTLED,),
    notes=("Read from sheet Orders, its header in row 3.",),
)

SHIPPED_BEFORE = ShippedBefore(job_id="0a1b2c3d4e5f6a7b", row_number=3, tracking_numbers=("1ZTALLY10300000001",))

ROW_DOCUMENT = RowDocument(
    row_number=17,
    source_row=19,
    status=RowStatus.SHIPPED,
    attempt=1,
    reference=REFERENCE,
    recipient="Zoë Ng",
    destination="Agawam, MA",
    service="ground",
    tracking_numbers=("1ZTALLY10300000017",),
    cost=COST,
    estimate=COST,
    label=LabelDocument(
        key=f"{JOB}/0000017-1ZTALLY10300000017.gif",
        keys=(f"{JOB}/0000017-1ZTALLY10300000017.gif", f"{JOB}/0000017-1ZTALLY10300000025.gif"),
        invoice=f"{JOB}/0000017-1ZTALLY10300000017-invoice.pdf",
    ),
    write_back=WriteBackDocument(status=WriteBackStatus.WRITTEN),
    shipped_at=AT,
    evidence=(EVIDENCE,),
    second_labels=(SecondLabel(tracking_numbers=("1ZTALLY10300000004",), status=RowStatus.SHIPPED, cost=COST),),
    shipped_before=SHIPPED_BEFORE,
)

PREVIEW_ROW = PreviewRow(
    row_number=1, recipient="Zoë Ng", destination="Agawam, MA", service="ground", estimate=COST, estimated=True
)

REQUEST = JobRequest(
    request_id="orders-2026-11-21",
    name="California orders",
    source=SOURCE,
    where="state = 'CA' AND weight < 20",
    service="ground",
    mode=JobMode.CONFIRM,
    on_interrupt=InterruptPolicy.ASK,
    requested_by="erp",
    restart_of="0a1b2c3d4e5f6a7b",
    include=("fulfilled",),
)

_ENTRY = {"job_id": JOB, "row_number": 17, "attempt": 1, "epoch": EPOCH, "claim_id": "0123456789abcdef"}

MESSAGES = {
    "job-request": REQUEST,
    "ship-command": ShipCommand(
        job_id=JOB,
        row_number=17,
        attempt=1,
        epoch=EPOCH,
        reference=REFERENCE,
        shipment=SHIPMENT,
        not_after=AT,
        recover=False,
        since=AT,
    ),
    "ship-command-abandoned": ShipCommandAbandoned(job_id=JOB, row_number=17, attempt=1, deliveries=5),
    "writeback-command": WritebackCommand(
        job_id=JOB,
        row_number=17,
        source=ExcelSource(path="orders.xlsx", sheet="Orders", write_back="sidecar"),
        source_row=19,
        row_key="19",
        checksum="c0ffee",
        row_version=1,
        values=WrittenValues(tracking_number="1ZTALLY10300000017", shipped_at=AT),
        replaces=("1ZTALLY10300000004",),
        order_number="1001",
        others=(SourcePlace(source_row=20, row_key="20", checksum="decaf"),),
    ),
    "void-command": VoidCommand(
        job_id=JOB, row_number=17, shipment_id="1ZTALLY10300000017", tracking_numbers=("1ZTALLY10300000017",)
    ),
    "void-outcome": VoidOutcome(
        job_id=JOB, row_number=17, shipment_id="1ZTALLY10300000017", status="refused", at=AT, error=ERROR, calls=(CALL,)
    ),
    "ledger-claimed": Claimed(**_ENTRY, reference=REFERENCE, owner="host:1", claimed_at=AT, last_possible_commit=AT),
    "ledger-shipped": Shipped(
        **_ENTRY,
        shipment_id="1ZTALLY10300000017",
        tracking_numbers=("1ZTALLY10300000017", "1ZTALLY10300000025"),
        cost=COST,
        label_key=f"{JOB}/0000017-1ZTALLY10300000017.gif",
        label_keys=(f"{JOB}/0000017-1ZTALLY10300000017.gif", f"{JOB}/0000017-1ZTALLY10300000025.gif"),
        invoice_key=f"{JOB}/0000017-1ZTALLY10300000017-invoice.pdf",
        shipped_at=AT,
        adopted=True,
        carrier_ms=151.2,
        evidence=(EVIDENCE,),
        calls=(CALL,),
    ),
    "ledger-failed": Failed(**_ENTRY, error=ERROR, failed_at=AT, calls=(CALL,)),
    "ledger-in-doubt": InDoubt(
        **_ENTRY,
        reference=REFERENCE,
        error=ERROR,
        parked_at=AT,
        last_possible_commit=AT,
        evidence=(EVIDENCE,),
        calls=(CALL,),
    ),
    "source-written": SourceWritten(
        source_hash="0123456789abcdef",
        rows=(RowWritten(job_id=JOB, row_number=17, row_version=1, status="failed", error=ERROR),),
    ),
    "quote-request": QuoteRequest(shipments=(SHIPMENT, SHIPMENT_ABROAD), within=42.5, every_service=True),
    "quote-reply": QuoteReply(
        quotes=(
            Quote(cost=COST, negotiated=False, zone="5"),
            Quote(error=ERROR),
            Quote(
                offers=(Offer(service=ServiceLevel.GROUND, cost=COST, days=3, arrival=date(2026, 11, 25), zone="5"),)
            ),
        )
    ),
    "address-question": AddressQuestion(addresses=(SHIPMENT.recipient.address,), within=42.5),
    "address-findings": AddressFindings(
        findings=(
            AddressFinding(
                verdict="valid",
                known=KnownAddress(lines=("418 ALDER CT",), city="SOMERVILLE", state="MA", postal_code="02143-1234"),
                residential=True,
            ),
            AddressFinding(error=ERROR),
        )
    ),
    "job-event": JobEvent(
        type=EventType.PROGRESS,
        at=AT,
        job_id=JOB,
        request_id="orders-2026-11-21",
        job=JOB_DOCUMENT,
        last_row=ROW_DOCUMENT,
        error=ERROR,
    ),
    "list-jobs": ListJobs(status=JobStatus.RUNNING, limit=20),
    "job-list": JobList(jobs=(JOB_DOCUMENT,)),
    "show-job": ShowJob(job_id=JOB),
    "list-rows": ListRows(job_id=JOB, status=RowStatus.FAILED, after=16),
    "row-list": RowList(rows=(ROW_DOCUMENT,), next_after=17),
    "show-row": ShowRow(job_id=JOB, row_number=17),
    "approve-job": ApproveJob(job_id=JOB, by="ann", estimate=Money(amount=Decimal("372.00"))),
    "control-job": ControlJob(job_id=JOB, by="ann"),
    "fetch-label": FetchLabel(job_id=JOB, row_number=17, by="maya"),
    "resolve-row": ResolveRow(
        job_id=JOB, row_number=17, tracking_number="1ZTALLY10300000017", by="ann", reason="found on the invoice"
    ),
    "restart-job": RestartJob(job_id=JOB, mode=JobMode.AUTO, by="ann"),
    "void-rows": VoidRows(job_id=JOB, row_numbers=(17,), tracking_number="1ZTALLY10300000004", by="ann"),
    "restore-job": RestoreJob(job_id=JOB, digest="0" * 64, force=True, by="ann"),
    "restore-source": RestoreSource(job_id=JOB, source=SOURCE, written=30, digest="0" * 64, force=True),
    "compare-services": CompareServices(
        request=JobRequest(request_id="orders-2026-11-21", source=SOURCE, service="cheapest-by:2026-11-25"),
        progress="_INBOX.abc.1",
    ),
    "preview-source": PreviewSource(request=REQUEST, progress="_INBOX.jYq3XwZ5", every_row=True),
    "preview-progress": PreviewProgress(read=3, to_rate=2, rated=1, rows=(PREVIEW_ROW,)),
    "inspect-source": InspectSource(request=REQUEST, refused="_INBOX.jYq3XwZ5"),
    "refused-orders": RefusedOrders(
        orders=(RefusedOrder(source_row=2, order_number="1002", recipient="Ada Byron", problems=(ERROR,)),)
    ),
    "plan-purge": PlanPurge(older_than=7_776_000),
    "purge-job": PurgeJob(job_id=JOB, before=AT, by="ann"),
    "rewrite-database": RewriteDatabase(),
    "drop-labels": DropLabels(job_id=JOB),
    "get-label": GetLabel(key=f"{JOB}/0000017-1ZTALLY10200000017.gif", offset=524288),
    "label-chunk": LabelChunk(content=b64encode(b"GIF89a"), size=524294, tag="a-tag", error=ERROR),
    "labels-dropped": LabelsDropped(dropped=500, more=True, error=ERROR),
    "show-report": ShowReport(job_id=JOB),
    "list-audit": ListAudit(job_id=JOB, row_number=17, after=40),
    "audit-page": AuditPage(entries=(AUDIT_RECORD,), next_after=41),
    "verify-audit": VerifyAudit(job_id=JOB, head="2" * 64),
    "verify-job": VerifyJob(job_id=JOB, rewrite=False, by="ada"),
    "recover-label": RecoverLabel(
        job_id=JOB,
        row_number=17,
        tracking_numbers=("1ZTALLY10300000017",),
        shipment=SHIPMENT,
        reference=REFERENCE,
        parcels=2,
        since=AT,
    ),
    "label-recovered": LabelRecovered(
        label_key=f"{JOB}/0000017-1ZTALLY10300000017.gif",
        label_keys=(f"{JOB}/0000017-1ZTALLY10300000017.gif", f"{JOB}/0000017-1ZTALLY10300000025.gif"),
        shipment_id="1ZTALLY10300000017",
        tracking_numbers=("1ZTALLY10300000017", "1ZTALLY10300000025"),
        cost=COST,
        calls=(CALL,),
    ),
    "known-ledger": KnownLedger(epoch=EPOCH, sequence=1795252530042),
    "find-shipment": FindShipment(
        job_id=JOB, row_number=17, attempt=1, reference=REFERENCE, since=AT, shipment=SHIPMENT
    ),
    "shipment-sought": ShipmentSought(evidence=(EVIDENCE,), adopted=False, calls=(CALL,)),
    "reply": Reply(error=ERROR),
    "account-places": AccountPlaces(
        shares={"ship-7-a1": Share(places=12, limit=24, until=AT), "ship-9-b2": Share(places=12, limit=24, until=AT)},
        rests_until=AT,
    ),
    "account-rests": AccountRests(shipper="ship-7-a1", seconds=2.5),
    "ask-status": AskStatus(checks=True),
    "service-status": ServiceStatus(name="shipper", pid=4711, state="running", host="host", parked=3),
    "parked": Parked(
        stream="COMMANDS",
        sequence=1795252530000,
        subject=f"tally.commands.ship.{JOB}",
        deliveries=2,
        service="shipper",
        host="host",
        pid=4711,
        at=AT,
        error=ErrorBody(code="E-4060", message="ShipCommand is of version 2, and this process reads those up to 1."),
    ),
}

DOCUMENTS = {
    "purge-plan": PurgePlan(
        before=AT,
        jobs=(PurgeableJob(job_id=JOB, name="orders", status=JobStatus.COMPLETED, ended_at=AT, rows=30, begun=True),),
        kept=(KeptJob(job_id=JOB, name="orders", status=JobStatus.PAUSED, reason="it is paused"),),
        more=True,
    ),
    "purged-job": PurgedJob(job_id=JOB, rows=30, labels=31),
    "rewritten": Rewritten(rewritten=True),
    "audit-verification": AuditVerification(
        jobs=12,
        entries=3_400,
        intact=False,
        faults=(AuditFault(job_id=JOB, seq=41, fault="changed", what="entry 41 is not as it was written"),),
        head="2" * 64,
    ),
    "job-document": JOB_DOCUMENT,
    "row-document": ROW_DOCUMENT,
    "restoration": Restoration(
        job_id=JOB,
        path="/srv/orders/orders.csv",
        backup="/srv/orders/.tally-backups/orders.2026-11-21T101530Z.csv",
        taken_at=AT,
        digest="0" * 64,
        numbers=31,
        other_numbers=1,
        changed=1,
        changed_rows=(4,),
        missing=1,
        changed_parts=("docprops/core.xml",),
        other_jobs=("0a1b2c3d4e5f6a7b",),
        restored=True,
        kept_as="/srv/orders/.tally-backups/orders.2026-11-21T101600Z.csv",
    ),
    "report-document": ReportDocument(
        job=JOB_DOCUMENT,
        costs=(
            ZoneCost(
                service="ground",
                zone="5",
                rows=40,
                second_labels=1,
                without_cost=1,
                cost=COST,
                compared=38,
                estimate=COST,
                charge=COST,
            ),
        ),
        charged_more=2,
        charged_less=1,
        charges=(ChargedRow(row_number=17, estimate=COST, charge=COST, estimated=True),),
        timed=40,
        median_ms=210,
        longest_ms=1220,
        slowest=(SlowRow(row_number=3, attempt=1, carrier_ms=1220),),
        unsettled=(UnsettledRow(row_number=41, source_row=42, status=RowStatus.IN_DOUBT, error=ERROR),),
        unwritten=(UnwrittenRow(row_number=7, source_row=8, error=ERROR),),
    ),
    "verification-document": VerificationDocument(
        job_id=JOB,
        source=SOURCE,
        matching=40,
        other=1,
        replaced=1,
        failed=1,
        agrees=False,
        rows=(
            UnverifiedRow(
                row_number=17,
                source_row=19,
                verdict="other",
                tracking_number="1ZTALLY10300000017",
                found="1ZTALLY10300000018",
            ),
            UnverifiedRow(
                row_number=18,
                source_row=20,
                verdict="replaced",
                tracking_number="1ZTALLY10300000019",
                found="1ZTALLY10300000020",
                later_job="m5x1c7t3ye9fghij",
            ),
        ),
    ),
    "inspection-document": InspectionDocument(
        source=CsvSource(path="orders.csv", delimiter=";", quote='"', encoding="cp1252"),
        facts={"encoding": "Windows-1252", "delimiter": "semicolon", "quote": "double quote", "line_end": "CRLF"},
        columns=("Name", "Lineitem name", "Shipping Zip"),
        rows=3,
        mapping="shopify",
        picked="headers",
        fields={"postal_code": ("Shipping Zip",), "order_number": ("Name",)},
        order_column="Name",
        total=2,
        settled=(SETTLED,),
        leaves_out_by={"fulfilled": ("Fulfillment Status",)},
        refused=1,
        problems=(ERROR,),
        first=SHIPMENT,
        first_row=1,
    ),
    "comparison-document": ComparisonDocument(
        source=SOURCE,
        where=None,
        mapping="default",
        total=4,
        to_ship=3,
        skipped=1,
        services=(
            ServiceCost(
                service="ground", rows=2, cost=COST, fewest_days=1, most_days=3, last_arrival=date(2026, 11, 25)
            ),
        ),
        cheapest=COST,
        own=COST,
        own_rows=2,
        rated=2,
        refused=1,
        problems=(ERROR,),
    ),
    "preview-document": PreviewDocument(
        source=SOURCE,
        where="state = 'CA'",
        mapping="default",
        total=3,
        to_ship=2,
        skipped=1,
        refused=1,
        problems=(ERROR,),
        estimate=COST,
        estimated=1,
        unrated=1,
        rows=(
            PREVIEW_ROW,
            PreviewRow(
                row_number=2,
                recipient="Ada Byron",
                destination="Austin, TX",
                service="ground",
                skipped="Already shipped.",
                shipped_before=SHIPPED_BEFORE,
            ),
        ),
        skipped_by=(SkippedBy(job_id="0a1b2c3d4e5f6a7b", count=1),),
        settled=(SETTLED,),
        notes=("Read from sheet Orders, its header in row 3.",),
    ),
}
