"""E-1xxx: sources, which are files and tables of orders."""

from __future__ import annotations

from shared.errors.registry import registered as _registered

SOURCE_NOT_FOUND = _registered(
    "E-1001", "Source not found", "There is no file {path}.", "Check the path; it is relative to {root}."
)
SOURCE_UNREADABLE = _registered(
    "E-1002", "Source unreadable", "{path} cannot be read: {reason}.", "Check its permissions and that it is a file."
)
SOURCE_EMPTY = _registered(
    "E-1003", "Source empty", "{path} {what}.", "Name what holds the orders, or export them again if they got lost."
)
DUPLICATE_HEADERS = _registered(
    "E-1004",
    "Duplicate headers",
    "{path} names column {columns} more than once.",
    "Give every column a name of its own in the header line.",
)
NOT_CSV = _registered(
    "E-1005",
    "Not a CSV file",
    "{path} is not a CSV file: {reason}.",
    "Export the orders as CSV with a header line.",
)
OUTSIDE_ROOTS = _registered(
    "E-1006",
    "Outside the source roots",
    "{path} is outside the folders this installation may read.",
    "Move the file into one of them, or add its folder to TALLY_SOURCE_ROOTS.",
)
SOURCE_KIND_UNSUPPORTED = _registered(
    "E-1007",
    "Unsupported source",
    "Sources of kind {kind} are not supported.",
    "Export the orders as CSV, or save them as .xlsx.",
)
NO_ROWS = _registered("E-1008", "No rows", "No row of {path} matches {where}.", "Loosen the condition.")
WHERE_NOT_EXPRESSION = _registered(
    "E-1010",
    "Condition refused",
    "The condition {where} is refused: {reason}.",
    "Write one condition over the columns, such as state = 'CA' AND weight < 20.",
)
WHERE_UNKNOWN_COLUMN = _registered(
    "E-1011",
    "Unknown column in condition",
    "The condition names column {column}, which {path} does not have.",
    "Use one of: {columns}.",
)
WHERE_FAILED = _registered(
    "E-1012", "Condition failed", "The condition {where} cannot be evaluated: {reason}.", "Correct the condition."
)
NOT_WRITABLE = _registered(
    "E-1014",
    "Source not writable",
    "{path} or its folder cannot be written to, so no tracking number could be written back; nothing was shipped.",
    "Make both writable, or copy the file to where it can be changed.",
)
TOO_MANY_ROWS = _registered(
    "E-1013",
    "Too many rows",
    "{path} has more than {limit} rows to ship.",
    "Split it with a condition, or raise TALLY_MAX_ROWS.",
)
ENCODING_UNKNOWN = _registered(
    "E-1015",
    "Unknown encoding",
    "There is no text encoding {encoding} to read {path} in.",
    "Name one such as utf-8, utf-16, windows-1252 or latin-1; or leave it out, and it is detected.",
)
NOT_KEPT = _registered(
    "E-1016",
    "No room for a source's rows",
    "{path} cannot be taken in: its rows cannot be kept in the folder for temporary files: {reason}.",
    "Make room there, or have TMPDIR name a folder of the coordinator's own; then submit the orders again.",
    retryable=True,
)
NOT_WORKBOOK = _registered(
    "E-1020",
    "Not a workbook",
    "{path} cannot be read as an Excel workbook: {reason}.",
    "Save it as .xlsx or .xlsm without a password, or export the orders as CSV.",
)
WORKBOOK_TOO_LARGE = _registered(
    "E-1021",
    "Workbook too large",
    "{path} is refused: {reason}.",
    "Move the orders to a workbook of their own, or export them as CSV.",
)
SHEET_NOT_FOUND = _registered(
    "E-1022", "Sheet not found", "{path} has no sheet or table {sheet}.", "Name one of: {names}."
)
SHEET_AMBIGUOUS = _registered(
    "E-1023", "Several tables", "Sheet {sheet} of {path} holds several tables.", "Name one of: {names}."
)
HEADER_REFUSED = _registered(
    "E-1024",
    "Header refused",
    "The column name in {cell} of {path} {reason}.",
    "Write plain text into the header row.",
)
NOT_PATCHABLE = _registered(
    "E-1025",
    "Workbook cannot be written to safely",
    "Tracking numbers cannot be put into {path} without a risk to it: {reason}.",
    "Change that, or let them go into {sidecar} beside it: --sidecar, or write_back: sidecar in a request.",
)
NOT_PARQUET = _registered(
    "E-1026", "Not a Parquet file", "{path} is not a Parquet file: {reason}.", "Export the orders again."
)
PARQUET_TOO_LARGE = _registered(
    "E-1027",
    "Parquet file too large",
    "{path} is refused: {reason}.",
    "Move the orders to a file of their own, or export them as CSV.",
)
CONNECTION_UNKNOWN = _registered(
    "E-1040",
    "Connection unknown",
    "There is no connection {connection}; known are: {names}.",
    "Correct the name, or set its URL as TALLY_CONNECTIONS__NAME.",
)
DATABASE_UNREACHABLE = _registered(
    "E-1041",
    "Database unreachable",
    "Connection {connection} cannot be opened: {reason}.",
    "Check the server and the connection's URL.",
    retryable=True,
)
TABLE_NOT_FOUND = _registered(
    "E-1042",
    "Table not found",
    "Connection {connection} has no table or view {table}.",
    "Check its name, with its schema where it is not in the default one.",
)
NO_KEY = _registered(
    "E-1043",
    "No primary key",
    "{path} has no primary key to tell its rows apart by.",
    "Name a column whose values are unique: --key COLUMN, or key in the request.",
)
KEY_REFUSED = _registered(
    "E-1044",
    "Key refused",
    "Column {key} cannot tell the rows of {path} apart: {reason}.",
    "Name a column whose values are unique and never empty.",
)
NO_TRACKING_COLUMNS = _registered(
    "E-1045",
    "No tracking columns",
    "{path} has no column {columns}, so no tracking number could be written back; nothing was shipped.",
    "Give it these columns first. {todo}",
)
TABLE_NOT_WRITABLE = _registered(
    "E-1046",
    "Table not writable",
    "{path} cannot be updated, so no tracking number could be written back; nothing was shipped: {reason}.",
    "Grant what is missing, or name a table that can be updated.",
)
TABLE_UNREADABLE = _registered(
    "E-1047",
    "Table unreadable",
    "{path} cannot be read: {reason}.",
    "Check the table, and the rights of the connection's user.",
)
