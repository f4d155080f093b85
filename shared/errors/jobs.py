"""E-4xxx: the bus, the job database, and writing back to sources."""

from __future__ import annotations

from shared.errors.registry import registered as _registered

BUS_UNREACHABLE = _registered(
    "E-4001",
    "Bus unreachable",
    "The bus at {url} cannot be reached.",
    "Start it with tally up, or set TALLY_NATS_URL.",
    retryable=True,
)
BUS_TIMEOUT = _registered(
    "E-4002",
    "No answer",
    "No {service} answered {subject} in {seconds} s.",
    "Check tally status; start what is missing.",
    retryable=True,
)
JOB_NOT_FOUND = _registered("E-4003", "Job not found", "There is no job {job_id}.", "List the jobs with tally jobs.")
ROW_NOT_FOUND = _registered(
    "E-4004", "Row not found", "Job {job_id} has no row {row_number}.", "List its rows with tally rows {job_id}."
)
ILLEGAL_TRANSITION = _registered(
    "E-4005",
    "Not possible now",
    "{action} is not possible: job {job_id} is {status}.",
    "See tally show {job_id}.",
)
RESERVED = _registered(
    "E-4006",
    "Row reserved by another job",
    "The same order is {status} in job {other_job}, row {other_row}.",
    "Settle that row first, then resume.",
)
JOB_AMBIGUOUS = _registered(
    "E-4007", "Several jobs", "{prefix} begins the ids of several jobs: {job_ids}.", "Give more of the id."
)
NOT_IN_DOUBT = _registered(
    "E-4008",
    "Row not in doubt",
    "Row {row_number} of job {job_id} is {status}, not in doubt.",
    "See tally show {job_id} {row_number}.",
)
LABEL_NOT_STORED = _registered(
    "E-4009",
    "Label not stored",
    "The label of row {row_number} could not be put into the label store: {reason}.",
    "Check TALLY_LABELS_URL and the store's permissions; it is fetched again.",
    retryable=True,
)
SOURCE_CHANGED = _registered(
    "E-4010",
    "Row not found in the source",
    "Row {row_number} of {path} is no longer what was shipped, and no other row is.",
    "Undo the change (a renamed column changes every row) and verify the job, or enter tracking number "
    "{tracking_number} by hand.",
)
WRITE_FAILED = _registered(
    "E-4011",
    "Write-back failed",
    "{path} could not be written: {reason}.",
    "Mend the cause; the number is kept in the job.",
    retryable=True,
)
TRACKING_CONFLICT = _registered(
    "E-4012",
    "Another tracking number in the source",
    "Row {row_number} of {path} already has another tracking number.",
    "Decide which is right; nothing was overwritten.",
)
PUBLISH_FAILED = _registered(
    "E-4013",
    "Publish failed",
    "The bus did not confirm {subject}: {reason}.",
    "Check the bus; the message is sent again.",
    retryable=True,
)
INTERRUPTED = _registered(
    "E-4014",
    "Job interrupted",
    "No coordinator was running, and the row was on its way to the carrier.",
    "Resume the job; the row's label is looked up before it is bought.",
)
NOT_SHIPPED = _registered(
    "E-4020",
    "No label to void",
    "Row {row_number} of job {job_id} is {status}; only a shipped row has a label to void.",
    "See tally show {job_id} {row_number}.",
)
NOT_SECOND_LABEL = _registered(
    "E-4021",
    "Not a second label",
    "{tracking_number} is not known as a second label of row {row_number} of job {job_id}.",
    "See tally show {job_id} {row_number}; leave --number out to void the row's own label.",
)
RESTART_UNSETTLED = _registered(
    "E-4022",
    "Rows not settled",
    "Row {row_number} of job {job_id} is {status}; a restart could buy its label twice.",
    "Wait for it, or settle it with tally resolve, then restart.",
)
BACKUP_FAILED = _registered(
    "E-4023",
    "No backup",
    "{path} was not written to, for no backup of it could be made in {folder}: {reason}.",
    "Mend the cause; the number is kept in the job.",
    retryable=True,
)
NO_BACKUP = _registered(
    "E-4024",
    "No backup to restore",
    "There is no copy of {path} from before job {job_id} wrote to it: {reason}.",
    "See .tally-backups beside the file for other copies.",
)
RESTORE_REFUSED = _registered(
    "E-4025",
    "Restore refused",
    "Restoring {path} would lose more than tracking numbers of the job: {losses}.",
    "Look at the file; then restore it all the same with --force, which keeps a copy of it as it is.",
)
NUMBER_TAKEN = _registered(
    "E-4026",
    "Number of another row",
    "{tracking_number} is the label of row {other_row} of job {other_job}.",
    "Look the reference up with the carrier again: tally show {job_id} {row_number} names it.",
)
PURGED = _registered(
    "E-4040",
    "Job purged",
    "{action} is not possible: job {job_id} was purged, and what it needs is gone.",
    "Submit the orders anew if they are to ship.",
)
NOT_PURGEABLE = _registered(
    "E-4041", "Job kept", "Job {job_id} is not purged: {reason}.", "Settle that first: see tally show {job_id}."
)
LABELS_NOT_DELETED = _registered(
    "E-4042",
    "Labels not deleted",
    "The labels of job {job_id} could not be deleted: {reason}.",
    "Check TALLY_LABELS_URL and the store's permissions, then run tally purge again: it finishes what it began.",
    retryable=True,
)
NOT_REWRITTEN = _registered(
    "E-4043",
    "Job database not rewritten",
    "The jobs are purged, but the job database's file could not be rewritten: {reason}.",
    "Mend the cause and run tally purge again; until then deleted data may be left in unused parts of the file.",
    retryable=True,
)
SOURCE_CHANGED_SINCE = _registered(
    "E-4030",
    "Source changed since the preview",
    "{path} changed since it was read: {what}.",
    "Approve again to ship it as it was read, or reject the job and submit the source anew.",
)
ESTIMATE_CHANGED = _registered(
    "E-4031",
    "Estimate changed since the preview",
    "The rows cost {now} by the present rates, not {seen}.",
    "Look at the rows again, then approve again or reject the job.",
)
MODE_LOCKED = _registered(
    "E-4032",
    "Mode not changed",
    "The mode stays {mode}: job {job_id}, which this session started, is {status} at row {cursor} of {total}.",
    "Wait for it with watch {job_id}, or pause or cancel it first.",
)
LABEL_GONE = _registered(
    "E-4050",
    "Label not in the store",
    "The label store has no {key}.",
    "Check TALLY_LABELS_URL; while the carrier keeps the label, it can be printed at its site by the tracking number.",
)
LABEL_UNREADABLE = _registered(
    "E-4051",
    "Label not read",
    "{key} could not be read from the label store: {reason}.",
    "Check TALLY_LABELS_URL and the store's permissions, then try again; nothing is bought by that.",
    retryable=True,
)
LABELS_OF_ANOTHER_KIND = _registered(
    "E-4052",
    "Labels of another kind",
    "Row {row_number} has its label as {found}, which cannot be put into a {wanted} file.",
    "{todo}.",
)
NO_LABELS = _registered(
    "E-4053",
    "No labels",
    "Job {job_id} has no label to write: {why}.",
    "See tally rows {job_id}.",
)
BUS_NOT_READY = _registered(
    "E-4061",
    "Bus keeps no streams",
    "The bus cannot keep streams in {replicas} copies: {reason}.",
    "Start the bus's servers, more than half of a cluster's; TALLY_STREAM_REPLICAS is at most as many as there are.",
    retryable=True,
)
MESSAGE_TOO_NEW = _registered(
    "E-4060",
    "Message of a newer version",
    "{message} is of version {version}, and this process reads those up to {newest}.",
    "Upgrade it; a durable message waits on the bus until one that reads it is there.",
    retryable=True,
)
JOB_DATABASE_UNREACHABLE = _registered(
    "E-4070",
    "Job database unreachable",
    "The job database at {address} cannot be reached: {reason}.",
    "Start it, or correct TALLY_DATABASE_URL. What was asked may have been done: look before you ask again.",
    retryable=True,
)
JOB_DATABASE_BUSY = _registered(
    "E-4071",
    "Job database busy",
    "The job database did not come to it in time: {reason}.",
    "Try again; if it stays so, see what else the database is busy with.",
    retryable=True,
)
SCHEMA_BEHIND = _registered(
    "E-4072",
    "Schema behind",
    "The job database's schema is at {found}, this release needs {wanted}.",
    "Run python -m services.coordinator migrate, or set TALLY_MIGRATE to true.",
    retryable=True,
)
NO_SUCH_REVISION = _registered(
    "E-4073",
    "No such revision",
    "The job database's schema has no revision {revision}.",
    "Name one of {known}, head or base.",
)
JOB_FORGOTTEN = _registered(
    "E-4074",
    "Job forgotten",
    "Rows of job {job_id} were shipped before, and the job database does not know them: it was put back to an earlier "
    "state.",
    "Submit the orders under another request id; the coordinator's log names the labels that were sold.",
)
NOT_BACKED_UP = _registered(
    "E-4075",
    "Not backed up",
    "The job database could not be copied to {path}: {reason}.",
    "Name a file in a folder that is there and has room.",
)
NOT_PUT_BACK = _registered(
    "E-4076",
    "Not put back",
    "The job database could not be put back from {path}: {reason}.",
    "Name a file that python -m services.coordinator backup wrote.",
)
STILL_IN_USE = _registered(
    "E-4077",
    "Job database in use",
    "A coordinator was at the job database {seconds} s ago.",
    "Stop every coordinator, then ask again in a moment.",
    retryable=True,
)
SERVER_HAS_ITS_OWN_TOOLS = _registered(
    "E-4078",
    "Job database on a server",
    "The job database is on a PostgreSQL server, which has tools of its own for that.",
    "Use pg_dump and pg_restore: docs/guides/postgres.md.",
)
