"""The one way to fail: a registry of E-codes and the exception that carries one.

Every failure a person may read has a code, a sentence that says what is wrong and where, and what to do about it.
``E-1xxx`` source, ``E-2xxx`` request, mapping and validation, ``E-3xxx`` carrier, ``E-4xxx`` bus, database and
write-back, ``E-5xxx`` authentication and configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class ErrorBody(BaseModel):
    """An error as it crosses the bus and as `--json` prints it; `row` is the data row's number, from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    message: str
    action: str = ""
    row: int | None = None
    details: tuple[ErrorBody, ...] = ()

    def __str__(self) -> str:
        place = f" (row {self.row})" if self.row is not None else ""
        todo = f" {self.action}" if self.action else ""
        return f"{self.code}{place}: {self.message}{todo}"


@dataclass(frozen=True)
class ErrorKind:
    """One entry of the registry; `cause` and `action` are format strings over the values at hand."""

    code: str
    title: str
    cause: str
    action: str
    retryable: bool = False


class TallyError(Exception):
    """The exception every part of the product raises for a person to read."""

    def __init__(
        self,
        kind: ErrorKind,
        /,
        *,
        row: int | None = None,
        details: tuple[ErrorBody, ...] = (),
        **values: object,
    ) -> None:
        self.kind = kind
        self.body = ErrorBody(
            code=kind.code,
            message=kind.cause.format_map(values),
            action=kind.action.format_map(values),
            row=row,
            details=details,
        )
        super().__init__(str(self.body))

    @classmethod
    def from_body(cls, body: ErrorBody) -> TallyError:
        """The error that another process reported; a code unknown here makes a kind of its own words."""
        error = cls.__new__(cls)
        Exception.__init__(error, str(body))
        error.kind = REGISTRY.get(body.code) or ErrorKind(body.code, body.code, body.message, body.action)
        error.body = body
        return error


REGISTRY: dict[str, ErrorKind] = {}


def _kind(code: str, title: str, cause: str, action: str, *, retryable: bool = False) -> ErrorKind:
    if code in REGISTRY:
        raise ValueError(f"{code} is taken")
    REGISTRY[code] = ErrorKind(code, title, cause, action, retryable)
    return REGISTRY[code]


# E-1xxx: sources
SOURCE_NOT_FOUND = _kind(
    "E-1001", "Source not found", "There is no file {path}.", "Check the path; it is relative to {root}."
)
SOURCE_UNREADABLE = _kind(
    "E-1002", "Source unreadable", "{path} cannot be read: {reason}.", "Check its permissions and that it is a file."
)
SOURCE_EMPTY = _kind("E-1003", "Source empty", "{path} {what}.", "Export the orders again.")
DUPLICATE_HEADERS = _kind(
    "E-1004",
    "Duplicate headers",
    "{path} names column {columns} more than once.",
    "Give every column a name of its own in the header line.",
)
NOT_CSV = _kind(
    "E-1005",
    "Not a CSV file",
    "{path} is not a CSV file: {reason}.",
    "Export the orders as CSV with a header line.",
)
OUTSIDE_ROOTS = _kind(
    "E-1006",
    "Outside the source roots",
    "{path} is outside the folders this installation may read.",
    "Move the file into one of them, or add its folder to TALLY_SOURCE_ROOTS.",
)
SOURCE_KIND_UNSUPPORTED = _kind(
    "E-1007", "Unsupported source", "Sources of kind {kind} are not supported.", "Export the orders as CSV or Excel."
)
NO_ROWS = _kind("E-1008", "No rows", "No row of {path} matches {where}.", "Loosen the condition.")
WHERE_NOT_EXPRESSION = _kind(
    "E-1010",
    "Condition refused",
    "The condition {where} is refused: {reason}.",
    "Write one condition over the columns, such as state = 'CA' AND weight < 20.",
)
WHERE_UNKNOWN_COLUMN = _kind(
    "E-1011",
    "Unknown column in condition",
    "The condition names column {column}, which {path} does not have.",
    "Use one of: {columns}.",
)
WHERE_FAILED = _kind(
    "E-1012", "Condition failed", "The condition {where} cannot be evaluated: {reason}.", "Correct the condition."
)

NOT_WRITABLE = _kind(
    "E-1014",
    "Source not writable",
    "{path} or its folder cannot be written to, so no tracking number could be written back; nothing was shipped.",
    "Make both writable, or copy the file to where it can be changed.",
)
TOO_MANY_ROWS = _kind(
    "E-1013",
    "Too many rows",
    "{path} has more than {limit} rows to ship.",
    "Split it with a condition, or raise TALLY_MAX_ROWS.",
)

ENCODING_UNKNOWN = _kind(
    "E-1015",
    "Unknown encoding",
    "There is no text encoding {encoding} to read {path} in.",
    "Name one such as utf-8, utf-16, windows-1252 or latin-1; or leave it out, and it is detected.",
)

NOT_WORKBOOK = _kind(
    "E-1020",
    "Not a workbook",
    "{path} cannot be read as an Excel workbook: {reason}.",
    "Save it as .xlsx or .xlsm without a password, or export the orders as CSV.",
)
WORKBOOK_TOO_LARGE = _kind(
    "E-1021",
    "Workbook too large",
    "{path} is refused: {reason}.",
    "Move the orders to a workbook of their own, or export them as CSV.",
)
SHEET_NOT_FOUND = _kind("E-1022", "Sheet not found", "{path} has no sheet or table {sheet}.", "Name one of: {names}.")
SHEET_AMBIGUOUS = _kind(
    "E-1023", "Several tables", "Sheet {sheet} of {path} holds several tables.", "Name one of: {names}."
)
HEADER_REFUSED = _kind(
    "E-1024",
    "Header refused",
    "The column name in {cell} of {path} {reason}.",
    "Write plain text into the header row.",
)
NOT_PATCHABLE = _kind(
    "E-1025",
    "Workbook cannot be written to safely",
    "Tracking numbers cannot be put into {path} without a risk to it: {reason}.",
    "Change that, or let them go into {sidecar} beside it (write_back: sidecar).",
)

NOT_PARQUET = _kind(
    "E-1026", "Not a Parquet file", "{path} is not a Parquet file: {reason}.", "Export the orders again."
)

CONNECTION_UNKNOWN = _kind(
    "E-1040",
    "Connection unknown",
    "There is no connection {connection}; known are: {names}.",
    "Correct the name, or set its URL as TALLY_CONNECTIONS__NAME.",
)
DATABASE_UNREACHABLE = _kind(
    "E-1041",
    "Database unreachable",
    "Connection {connection} cannot be opened: {reason}.",
    "Check the server and the connection's URL.",
    retryable=True,
)
TABLE_NOT_FOUND = _kind(
    "E-1042",
    "Table not found",
    "Connection {connection} has no table or view {table}.",
    "Check its name, with its schema where it is not in the default one.",
)
NO_KEY = _kind(
    "E-1043",
    "No primary key",
    "{path} has no primary key to tell its rows apart by.",
    "Name a column whose values are unique: --key COLUMN, or key in the request.",
)
KEY_REFUSED = _kind(
    "E-1044",
    "Key refused",
    "Column {key} cannot tell the rows of {path} apart: {reason}.",
    "Name a column whose values are unique and never empty.",
)
NO_TRACKING_COLUMNS = _kind(
    "E-1045",
    "No tracking columns",
    "{path} has no column {columns}, so no tracking number could be written back; nothing was shipped.",
    "{todo}",
)
TABLE_NOT_WRITABLE = _kind(
    "E-1046",
    "Table not writable",
    "{path} cannot be updated, so no tracking number could be written back; nothing was shipped: {reason}.",
    "Grant what is missing, or name a table that can be updated.",
)
TABLE_UNREADABLE = _kind(
    "E-1047", "Table unreadable", "{path} cannot be read: {reason}.", "Check the rights of the connection's user."
)

# E-2xxx: requests, mapping, validation
MAPPING_NOT_FOUND = _kind(
    "E-2001",
    "Mapping not found",
    "There is no mapping {mapping}.",
    "Use auto, a built-in one, or the path of a YAML file.",
)
MAPPING_INVALID = _kind(
    "E-2002", "Mapping invalid", "Mapping {mapping} is invalid: {reason}.", "Correct the mapping file."
)
MAPPING_MISSING_COLUMN = _kind(
    "E-2003",
    "Mapping names a missing column",
    "Field {field} of mapping {mapping} names column {column}, which the source does not have.",
    "Use one of: {columns}.",
)
ROWS_INVALID = _kind(
    "E-2010",
    "Rows invalid",
    "{count} of {total} rows cannot ship; nothing was shipped.",
    "Correct the rows listed in the source, then submit it again.",
)
FIELD_MISSING = _kind("E-2011", "Field missing", "{field} is missing.", "Fill it in, or map another column to it.")
FIELD_INVALID = _kind("E-2012", "Field invalid", "{field} is {value}: {reason}.", "Correct it in the source.")
SURPLUS_FIELDS = _kind(
    "E-2013",
    "More fields than columns",
    "The row has {count} more fields than the header has columns.",
    "Quote the field that holds a delimiter (a comma in an address, say); its columns have slipped.",
)
ROWS_DISAGREE = _kind(
    "E-2014",
    "Rows of one order disagree",
    "{field} differs between rows {row_a} and {row_b}, which are one order.",
    "Make them agree, or give them order numbers of their own.",
)
REQUEST_MALFORMED = _kind(
    "E-2020", "Request malformed", "The job request is malformed: {reason}.", "Correct it and publish it again."
)
REQUEST_ID_REUSED = _kind(
    "E-2021",
    "Request id reused",
    "Request id {request_id} was used for another request, job {job_id}.",
    "Give a new request a new request_id.",
)

REQUEST_ABANDONED = _kind(
    "E-2022",
    "Request abandoned",
    "The request could not be taken in, {tries} times.",
    "Read the coordinator's log, then submit it again with a new request_id.",
)

# E-3xxx: carrier
CARRIER_REJECTED = _kind(
    "E-3001",
    "Carrier rejected the shipment",
    "The carrier refused the shipment ({carrier_code}): {carrier_message}.",
    "Correct the row and submit it again, or resume if the carrier was wrong.",
)
CARRIER_UNREACHABLE = _kind(
    "E-3002",
    "Carrier unreachable",
    "The carrier could not be reached: {reason}; nothing was sent.",
    "Check the network and TALLY_CARRIER__URL, then resume.",
    retryable=True,
)
CARRIER_RATE_LIMITED = _kind(
    "E-3003",
    "Carrier rate limit",
    "The carrier refused the call for exceeding its rate limit, {tries} times.",
    "Wait a few minutes, then resume.",
    retryable=True,
)
CARRIER_BLOCKED = _kind(
    "E-3004",
    "Carrier account blocked",
    "The carrier blocks this account ({carrier_code}): {carrier_message}.",
    "Settle it with the carrier, then resume.",
)
CARRIER_DEADLINE = _kind(
    "E-3005",
    "Send deadline passed",
    "The send deadline passed before the carrier was called; nothing was sent.",
    "Resume; the row is tried again.",
    retryable=True,
)
CARRIER_UNAVAILABLE = _kind(
    "E-3006",
    "Carrier unavailable",
    "The carrier did not answer {operation} usably: {reason}.",
    "Try again later.",
    retryable=True,
)
IN_DOUBT = _kind(
    "E-3010",
    "In doubt",
    "Nobody can prove whether the carrier sold a label for reference {reference}: {reason}.",
    "Look the reference up with the carrier, then record what you found with tally resolve.",
)
SEVERAL_SHIPMENTS = _kind(
    "E-3011",
    "Several shipments found",
    "The carrier holds several shipments for reference {reference}: {tracking_numbers}.",
    "Void all but one with the carrier, then record the one that stays with tally resolve.",
)

ABANDONED = _kind(
    "E-3012",
    "Row abandoned",
    "The row was handed to a shipper {deliveries} times, and none came to an outcome: {reason}.",
    "Read the shipper's log for what ended it, then {todo}.",
)
WITHDRAWN = _kind(
    "E-3013",
    "Row withdrawn",
    "The job was cancelled before the row was sent to the carrier.",
    "Submit the order again if it is to ship.",
)

VOID_REFUSED = _kind(
    "E-3020",
    "Void refused",
    "The carrier does not void shipment {shipment_id} ({carrier_code}): {carrier_message}.",
    "The label stays valid and charged; settle it with the carrier if the parcel does not go out.",
)
SECOND_LABEL = _kind(
    "E-3021",
    "Second label sold",
    "The carrier sold two labels for this row: {tracking_number}, which is recorded, and {other} besides.",
    "Void the one you do not use: tally void {job_id} {row_number} --number {other}.",
)

SOLD_IN_TWO_JOBS = _kind(
    "E-3022",
    "Sold in two jobs",
    "The carrier sold {tracking_number} for this row after all; the same order is {status} in job {other_job}, row"
    " {other_row}.",
    "Void the one you do not use: tally void {job_id} {row_number}, or tally void {other_job} {other_row}.",
)

# E-4xxx: bus, job database, write-back
BUS_UNREACHABLE = _kind(
    "E-4001",
    "Bus unreachable",
    "The bus at {url} cannot be reached.",
    "Start it with tally up, or set TALLY_NATS_URL.",
    retryable=True,
)
BUS_TIMEOUT = _kind(
    "E-4002",
    "No answer",
    "No {service} answered {subject} in {seconds} s.",
    "Check tally status; start what is missing.",
    retryable=True,
)
JOB_NOT_FOUND = _kind("E-4003", "Job not found", "There is no job {job_id}.", "List the jobs with tally jobs.")
ROW_NOT_FOUND = _kind(
    "E-4004", "Row not found", "Job {job_id} has no row {row_number}.", "List its rows with tally rows {job_id}."
)
ILLEGAL_TRANSITION = _kind(
    "E-4005",
    "Not possible now",
    "{action} is not possible: job {job_id} is {status}.",
    "See tally show {job_id}.",
)
RESERVED = _kind(
    "E-4006",
    "Row reserved by another job",
    "The same order is {status} in job {other_job}, row {other_row}.",
    "Settle that row first, then resume.",
)
JOB_AMBIGUOUS = _kind(
    "E-4007", "Several jobs", "{prefix} begins the ids of several jobs: {job_ids}.", "Give more of the id."
)
NOT_IN_DOUBT = _kind(
    "E-4008",
    "Row not in doubt",
    "Row {row_number} of job {job_id} is {status}, not in doubt.",
    "See tally show {job_id} {row_number}.",
)
LABEL_NOT_STORED = _kind(
    "E-4009",
    "Label not stored",
    "The label of row {row_number} could not be put into the label store: {reason}.",
    "Check TALLY_LABELS_URL and the store's permissions; it is fetched again.",
    retryable=True,
)
SOURCE_CHANGED = _kind(
    "E-4010",
    "Row not found in the source",
    "Row {row_number} of {path} is no longer what was shipped, and no other row is.",
    "Enter tracking number {tracking_number} by hand.",
)
WRITE_FAILED = _kind(
    "E-4011",
    "Write-back failed",
    "{path} could not be written: {reason}.",
    "Mend the cause; the number is kept in the job.",
    retryable=True,
)
TRACKING_CONFLICT = _kind(
    "E-4012",
    "Another tracking number in the source",
    "Row {row_number} of {path} already has another tracking number.",
    "Decide which is right; nothing was overwritten.",
)
PUBLISH_FAILED = _kind(
    "E-4013",
    "Publish failed",
    "The bus did not confirm {subject}: {reason}.",
    "Check the bus; the message is sent again.",
    retryable=True,
)
INTERRUPTED = _kind(
    "E-4014",
    "Job interrupted",
    "No coordinator was running, and the row was on its way to the carrier.",
    "Resume the job; the row's label is looked up before it is bought.",
)

NOT_SHIPPED = _kind(
    "E-4020",
    "No label to void",
    "Row {row_number} of job {job_id} is {status}; only a shipped row has a label to void.",
    "See tally show {job_id} {row_number}.",
)
NOT_SECOND_LABEL = _kind(
    "E-4021",
    "Not a second label",
    "{tracking_number} is not known as a second label of row {row_number} of job {job_id}.",
    "See tally show {job_id} {row_number}; leave --number out to void the row's own label.",
)

RESTART_UNSETTLED = _kind(
    "E-4022",
    "Rows not settled",
    "Row {row_number} of job {job_id} is {status}; a restart could buy its label twice.",
    "Wait for it, or settle it with tally resolve, then restart.",
)

BACKUP_FAILED = _kind(
    "E-4023",
    "No backup",
    "{path} was not written to, for no backup of it could be made in {folder}: {reason}.",
    "Mend the cause; the number is kept in the job.",
    retryable=True,
)

NO_BACKUP = _kind(
    "E-4024",
    "No backup to restore",
    "There is no copy of {path} from before job {job_id} wrote to it: {reason}.",
    "See .tally-backups beside the file for other copies.",
)
RESTORE_REFUSED = _kind(
    "E-4025",
    "Restore refused",
    "Restoring {path} would lose more than tracking numbers of the job: {losses}.",
    "Look at the file; then restore it all the same with --force, which keeps a copy of it as it is.",
)
NUMBER_TAKEN = _kind(
    "E-4026",
    "Number of another row",
    "{tracking_number} is the label of row {other_row} of job {other_job}.",
    "Look the reference up with the carrier again: tally show {job_id} {row_number} names it.",
)

# E-5xxx: authentication and configuration
NO_CARRIER = _kind(
    "E-5001",
    "No carrier configured",
    "No carrier is configured.",
    "Set TALLY_CARRIER__URL and its credentials, or start the sandbox carrier with --sandbox.",
)
SETTINGS_INVALID = _kind("E-5002", "Settings invalid", "{setting}: {reason}.", "Correct the setting.")
CREDENTIALS_REFUSED = _kind(
    "E-5003",
    "Credentials refused",
    "The carrier refused the credentials ({carrier_code}): {carrier_message}.",
    "Check TALLY_CARRIER__CLIENT_ID and TALLY_CARRIER__CLIENT_SECRET, then resume.",
)
NO_SHIP_FROM = _kind(
    "E-5004",
    "No ship-from address",
    "No ship-from address is configured.",
    "Set TALLY_SHIP_FROM, or [ship_from] in tally.toml.",
)
DATA_DIR_IN_USE = _kind(
    "E-5005",
    "Data directory in use",
    "Another tally up (pid {pid}) uses {data_dir}.",
    "Stop it, or give another --data.",
)
NATS_SERVER_MISSING = _kind(
    "E-5006",
    "No NATS server",
    "No nats-server of version 2.12 or newer was found.",
    "Run make setup, or put nats-server on PATH.",
)
UNEXPECTED = _kind(
    "E-5090",
    "Unexpected error",
    "Something unforeseen went wrong: {what}.",
    "Run the command again with TALLY_LOG_LEVEL=debug and report what it prints.",
)
