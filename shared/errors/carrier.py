"""E-3xxx: the carrier, and what it did or did not sell."""

from __future__ import annotations

from shared.errors.registry import registered as _registered

CARRIER_REJECTED = _registered(
    "E-3001",
    "Carrier rejected the shipment",
    "The carrier refused the shipment ({carrier_code}): {carrier_message}.",
    "Correct the row and submit it again, or resume if the carrier was wrong.",
)
CARRIER_UNREACHABLE = _registered(
    "E-3002",
    "Carrier unreachable",
    "The carrier could not be reached: {reason}; nothing was sent.",
    "Check the network and TALLY_CARRIER__URL, then resume.",
    retryable=True,
)
CARRIER_RATE_LIMITED = _registered(
    "E-3003",
    "Carrier rate limit",
    "The carrier refused the call for exceeding its rate limit, {tries} times.",
    "Wait a few minutes, then resume.",
    retryable=True,
)
CARRIER_BLOCKED = _registered(
    "E-3004",
    "Carrier account blocked",
    "The carrier blocks this account ({carrier_code}): {carrier_message}.",
    "Settle it with the carrier, then resume.",
)
CARRIER_DEADLINE = _registered(
    "E-3005",
    "Send deadline passed",
    "The send deadline passed before the carrier was called; nothing was sent.",
    "Resume; the row is tried again.",
    retryable=True,
)
CARRIER_UNAVAILABLE = _registered(
    "E-3006",
    "Carrier unavailable",
    "The carrier did not answer {operation} usably: {reason}.",
    "Try again later.",
    retryable=True,
)
IN_DOUBT = _registered(
    "E-3010",
    "In doubt",
    "Nobody can prove whether the carrier sold a label for reference {reference}: {reason}.",
    "Look the reference up with the carrier, then record what you found with tally resolve.",
)
SEVERAL_SHIPMENTS = _registered(
    "E-3011",
    "Several shipments found",
    "The carrier holds several shipments for reference {reference}: {tracking_numbers}.",
    "Void all but one with the carrier, then record the one that stays with tally resolve.",
)
ABANDONED = _registered(
    "E-3012",
    "Row abandoned",
    "The row was handed to a shipper {deliveries} times, and none came to an outcome: {reason}.",
    "Read the shipper's log for what ended it, then {todo}.",
)
WITHDRAWN = _registered(
    "E-3013",
    "Row withdrawn",
    "The job was cancelled before the row was sent to the carrier.",
    "Submit the order again if it is to ship.",
)
VOID_REFUSED = _registered(
    "E-3020",
    "Void refused",
    "The carrier does not void shipment {shipment_id} ({carrier_code}): {carrier_message}.",
    "The label stays valid and charged; settle it with the carrier if the parcel does not go out.",
)
SECOND_LABEL = _registered(
    "E-3021",
    "Second label sold",
    "The carrier sold two labels for this row: {tracking_number}, which is recorded, and {other} besides.",
    "Void the one you do not use: tally void {job_id} {row_number} --number {other}.",
)
SOLD_IN_TWO_JOBS = _registered(
    "E-3022",
    "Sold in two jobs",
    "The carrier sold {tracking_number} for this row after all; the same order is {status} in job {other_job}, row"
    " {other_row}.",
    "Void the one you do not use: tally void {job_id} {row_number}, or tally void {other_job} {other_row}.",
)
SHIPPER_REFUSED = _registered(
    "E-3030",
    "Shipper refused",
    "The carrier refused the shipper ({carrier_code}): {carrier_message}.",
    "Check TALLY_CARRIER__ACCOUNT and the ship-from address, then resume.",
)
RECIPIENT_REFUSED = _registered(
    "E-3031",
    "Recipient refused",
    "The carrier refused the recipient ({carrier_code}): {carrier_message}.",
    "Correct the row in the source and submit it again, or resume if the carrier was wrong.",
)
SHIP_FROM_REFUSED = _registered(
    "E-3032",
    "Ship-from address refused",
    "The carrier refused the ship-from address ({carrier_code}): {carrier_message}.",
    "Correct TALLY_SHIP_FROM, or [ship_from] in tally.toml, then submit the orders again.",
)
POSTAL_CODE_REFUSED = _registered(
    "E-3033",
    "Postal code refused",
    "The carrier refused a postal code ({carrier_code}): {carrier_message}.",
    "Correct the row's postal code, city and state in the source and submit it again.",
)
LANE_NOT_SERVED = _registered(
    "E-3034",
    "Lane not served",
    "The carrier does not ship this from origin to destination ({carrier_code}): {carrier_message}.",
    "Choose another service for the row and submit it again.",
)
SERVICE_REFUSED = _registered(
    "E-3035",
    "Service refused",
    "The carrier refused the service ({carrier_code}): {carrier_message}.",
    "Choose another service for the row and submit it again.",
)
PACKAGE_REFUSED = _registered(
    "E-3036",
    "Package refused",
    "The carrier refused a package ({carrier_code}): {carrier_message}.",
    "Correct the row's weight, dimensions or packaging in the source and submit it again.",
)
REFERENCE_REFUSED = _registered(
    "E-3037",
    "Reference refused",
    "The carrier refused a reference number ({carrier_code}): {carrier_message}.",
    "Shorten the row's references in the source to 35 letters and digits, and submit it again.",
)
CHARACTERS_REFUSED = _registered(
    "E-3038",
    "Characters refused",
    "The carrier refused characters in the shipment ({carrier_code}): {carrier_message}.",
    "Replace what is not plain text in the row's name and address, and submit it again.",
)
CHARGED_MORE = _registered(
    "E-3040",
    "Charged more than previewed",
    "Row {row_number} was charged {charge}, where its preview said {rated}.",
    "The label is kept. Look at the row (tally show {job_id} {row_number}), then go on with tally resume {job_id}, or"
    " cancel the job.",
)
NO_SERVICE_IN_TIME = _registered(
    "E-3041",
    "No service in time",
    "No service delivers the row by {by}: {earliest}.",
    "Name a later day or a service, or leave the row out.",
)
NO_SERVICE_OFFERED = _registered(
    "E-3042",
    "No service offered",
    "The carrier offers no service for the row: {reason}.",
    "Change what the row asks for in the source, or leave the row out.",
)
