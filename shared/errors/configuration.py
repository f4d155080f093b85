"""E-5xxx: authentication and configuration."""

from __future__ import annotations

from shared.errors.registry import registered as _registered

NO_CARRIER = _registered(
    "E-5001",
    "No carrier configured",
    "No carrier is configured.",
    "Set TALLY_CARRIER__URL and its credentials, or start the sandbox carrier with --sandbox.",
)
SETTINGS_INVALID = _registered("E-5002", "Settings invalid", "{setting}: {reason}.", "Correct the setting.")
CREDENTIALS_REFUSED = _registered(
    "E-5003",
    "Credentials refused",
    "The carrier refused the credentials ({carrier_code}): {carrier_message}.",
    "Check TALLY_CARRIER__CLIENT_ID and TALLY_CARRIER__CLIENT_SECRET, then resume.",
)
NO_SHIP_FROM = _registered(
    "E-5004",
    "No ship-from address",
    "No ship-from address is configured.",
    "Set TALLY_SHIP_FROM, or [ship_from] in tally.toml.",
)
DATA_DIR_IN_USE = _registered(
    "E-5005",
    "Data directory in use",
    "Another tally up (pid {pid}) uses {data_dir}.",
    "Stop it, or give another --data.",
)
NATS_SERVER_MISSING = _registered(
    "E-5006",
    "No NATS server",
    "No nats-server of version 2.12 or newer was found.",
    "Run make setup, or put nats-server on PATH.",
)
OUTPUT_NOT_WRITTEN = _registered(
    "E-5007",
    "Output not written",
    "{path} cannot be written: {reason}.",
    "Name another file, or make room for it.",
)
BUS_CREDENTIALS_REFUSED = _registered(
    "E-5008",
    "Bus refused the credentials",
    "The bus at {url} refused the user or the password of {user}.",
    "Check TALLY_NATS_USER and TALLY_NATS_PASSWORD, or the file that TALLY_NATS_PASSWORD_FILE names, against the "
    "server's configuration.",
)
BUS_INSECURE = _registered(
    "E-5009",
    "No secure connection to the bus",
    "No secure connection to the bus at {url} came about: {reason}.",
    "Check that TALLY_NATS_TLS_CA is the authority of the server's certificate, and that this is in force and names "
    "the host in TALLY_NATS_URL.",
)
BUS_PERMISSION_MISSING = _registered(
    "E-5010",
    "Not permitted on the bus",
    "The bus does not let {user} {what} {subject}.",
    "Use the user that deploy/nats has for this, or add the permission there.",
)
TOPOLOGY_MISSING = _registered(
    "E-5011",
    "Streams missing",
    "The bus has not all of the consumers {consumers}, and no coordinator brought them up in {seconds} s.",
    "Start a coordinator, or look in its log why it does not run.",
)
CONSOLE_OPEN = _registered(
    "E-5020",
    "Console without a token",
    "The console would let everybody who reaches {host} ship: it has no token.",
    "Set TALLY_CONSOLE__TOKEN, or leave TALLY_CONSOLE__HOST at 127.0.0.1.",
)
NOT_LOGGED_IN = _registered(
    "E-5021",
    "Not logged in",
    "The console does not know who asks: {reason}.",
    "Log in with the console's token, or send it as Authorization: Bearer TOKEN.",
)
FOREIGN_CALL = _registered(
    "E-5022",
    "Call from elsewhere",
    "The console does not answer this call: {reason}.",
    "{todo}",
)
UNEXPECTED = _registered(
    "E-5090",
    "Unexpected error",
    "Something unforeseen went wrong: {what}.",
    "Run the command again with TALLY_LOG_LEVEL=debug and report what it prints.",
)
