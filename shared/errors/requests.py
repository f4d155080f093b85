"""E-2xxx: requests, mappings and the validation of rows."""

from __future__ import annotations

from shared.errors.registry import registered as _registered

MAPPING_NOT_FOUND = _registered(
    "E-2001",
    "Mapping not found",
    "There is no mapping {mapping}.",
    "Use auto, a built-in one, or the path of a YAML file.",
)
MAPPING_INVALID = _registered(
    "E-2002", "Mapping invalid", "Mapping {mapping} is invalid: {reason}.", "Correct the mapping file."
)
MAPPING_MISSING_COLUMN = _registered(
    "E-2003",
    "Mapping names a missing column",
    "Field {field} of mapping {mapping} names column {column}, which the source does not have.",
    "Use one of: {columns}.",
)
ROWS_INVALID = _registered(
    "E-2010",
    "Rows invalid",
    "{count} of {total} rows cannot ship; nothing was shipped.",
    "Correct them in the source, or leave them out with --skip-invalid (skip_invalid in a request); --errors-out FILE "
    "lists them.",
)
FIELD_MISSING = _registered(
    "E-2011", "Field missing", "{field} is missing.", "Fill it in, or map another column to it."
)
FIELD_INVALID = _registered("E-2012", "Field invalid", "{field} is {value}: {reason}.", "Correct it in the source.")
SURPLUS_FIELDS = _registered(
    "E-2013",
    "More fields than columns",
    "The row has more fields than the header has columns, by {count}.",
    "Quote the field that holds a delimiter (a comma in an address, say); its columns have slipped.",
)
ROWS_DISAGREE = _registered(
    "E-2014",
    "Rows of one order disagree",
    "{field} differs between rows {row_a} and {row_b}, which are one order.",
    "Make them agree, or give them order numbers of their own.",
)
ALL_SETTLED = _registered(
    "E-2015",
    "Every order left out",
    "No order of {path} is to be shipped; left out are {settled}.",
    "Export open orders, or ship these nevertheless with {include} (include in a request).",
)
REQUEST_MALFORMED = _registered(
    "E-2020", "Request malformed", "The job request is malformed: {reason}.", "Correct it and publish it again."
)
REQUEST_ID_REUSED = _registered(
    "E-2021",
    "Request id reused",
    "Request id {request_id} was used for another request, job {job_id}.",
    "Give a new request a new request_id.",
)
REQUEST_ABANDONED = _registered(
    "E-2022",
    "Request abandoned",
    "The request could not be taken in, {tries} times.",
    "Read the coordinator's log, then submit it again with a new request_id.",
)
REQUEST_TOO_NEW = _registered(
    "E-2023",
    "Request of a newer version",
    "The request is of version {version}, and the coordinator reads those up to {newest}.",
    "Upgrade the services and publish it again, or submit it with a tally of their version.",
)
HTTP_REFUSED = _registered(
    "E-2030",
    "HTTP call refused",
    "The console cannot take {call}: {reason}.",
    "See the console's guide and /api/v1/openapi.json.",
)
