"""Who may do what on the bus: one table, from which the server's configuration is written (deploy/nats/users.conf).

Each service, and each kind of client, is a user of its own. What a user may subscribe to is what it answers and its own
inboxes; what it may publish to is what it says, the questions it asks, the inboxes of whom it answers, and the calls of
JetStream's API that it makes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from shared.bus import topology
from shared.contracts import subjects

COORDINATOR, SHIPPER, WRITEBACK = "coordinator", "shipper", "writeback"
CONSOLE, CLI, DOCTOR, ADMIN = "console", "cli", "doctor", "admin"
_CLIENTS = (CONSOLE, CLI, DOCTOR, ADMIN)
_STREAMS = tuple(str(stream.name) for stream in topology.streams(1))
_LOOKED_AT_ONLY = ("list", "show", "verify-audit")

# Numbers of messages and names of subjects, never what a message says.
_INFO = ("$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.INFO.*.*")
# A job's events are read by a consumer that lives as long as its reader.
_READ_EVENTS = (
    f"$JS.API.CONSUMER.CREATE.{subjects.EVENTS}",
    f"$JS.API.CONSUMER.DELETE.{subjects.EVENTS}.*",
    f"$JS.FC.{subjects.EVENTS}.>",
)


@dataclass(frozen=True)
class Permissions:
    """The subjects that a user may publish to and subscribe to; everything else is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def _inboxes(*users: str) -> tuple[str, ...]:
    return tuple(f"_INBOX.{user}.>" for user in users)


def _read(*streams: str) -> tuple[str, ...]:
    """Reading back what a subject holds."""
    return tuple(f"$JS.API.STREAM.MSG.GET.{stream}" for stream in streams)


def _taken_by(*consumers: topology.Consumer) -> tuple[str, ...]:
    """Asking for consumers' messages, acknowledging them, and saying which wait for an upgraded process."""
    return (
        *(f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}" for consumer in consumers),
        *(f"$JS.ACK.{consumer.stream}.{consumer.durable}.>" for consumer in consumers),
        *dict.fromkeys(subjects.parked(consumer.stream, "*") for consumer in consumers),
        *_read(subjects.PARKED),
    )


def _kept() -> tuple[str, ...]:
    """Bringing the streams and their consumers up."""
    return tuple(
        f"$JS.API.{call}"
        for stream in _STREAMS
        for call in (
            f"STREAM.CREATE.{stream}",
            f"STREAM.UPDATE.{stream}",
            f"CONSUMER.CREATE.{stream}.>",
            f"CONSUMER.DURABLE.CREATE.{stream}.>",
        )
    ) + tuple(f"$JS.API.CONSUMER.DELETE.{consumer.stream}.{consumer.durable}" for consumer in topology.CONSUMERS)


# What tells whether all is well: who is there, the streams, a job's last event, whether the carrier answers.
_LOOKED_AT = (subjects.STATUS, subjects.ADDRESSES_CHECK, *_read(subjects.EVENTS), *_INFO)
# What a person does: submit, control, watch, fetch labels.
_BY_A_PERSON = (subjects.SUBMIT, subjects.api("*"), subjects.LABELS_GET, *_LOOKED_AT, *_READ_EVENTS)


USERS: dict[str, Permissions] = {
    COORDINATOR: Permissions(
        publish=(
            subjects.SUBMIT,
            subjects.ALL_COMMANDS,
            subjects.ALL_LEDGER,
            subjects.ALL_LATE_LEDGER,
            subjects.ALL_EVENTS,
            subjects.RATES_QUOTE,
            subjects.ADDRESSES_CHECK,
            subjects.LABELS_RECOVER,
            subjects.LABELS_DROP,
            subjects.SHIPMENTS_FIND,
            subjects.SOURCES_RESTORE,
            *_inboxes(SHIPPER, *_CLIENTS),
            *_taken_by(
                topology.JOB_REQUESTS,
                topology.LEDGER_ENTRIES,
                topology.WRITEBACK_OUTCOMES,
                topology.VOID_OUTCOMES,
                topology.ABANDONED_COMMANDS,
            ),
            *_read(subjects.COMMANDS, subjects.LEDGER),
            f"$JS.API.STREAM.MSG.DELETE.{subjects.COMMANDS}",
            f"$JS.API.STREAM.PURGE.{subjects.LEDGER}",
            f"$JS.API.STREAM.PURGE.{subjects.EVENTS}",
            f"$JS.API.STREAM.DELETE.{subjects.LEDGER}",
            *_INFO,
            *_kept(),
        ),
        subscribe=(subjects.api("*"), subjects.LEDGER_KNOWN, subjects.STATUS, *_inboxes(COORDINATOR)),
    ),
    SHIPPER: Permissions(
        publish=(
            subjects.ALL_LEDGER,
            subjects.ALL_LATE_LEDGER,
            subjects.ALL_VOID_OUTCOMES,
            subjects.ALL_ABANDONED,
            subjects.ALL_PLACES,
            subjects.ALL_RESTS,
            subjects.LEDGER_KNOWN,
            *_inboxes(COORDINATOR, *_CLIENTS),
            *_taken_by(topology.SHIP_COMMANDS, topology.VOID_COMMANDS),
            *_read(subjects.COMMANDS, subjects.LEDGER, subjects.PLACES),
            *_INFO,
        ),
        subscribe=(
            subjects.RATES_QUOTE,
            subjects.ADDRESSES_CHECK,
            subjects.LABELS_RECOVER,
            subjects.LABELS_GET,
            subjects.LABELS_DROP,
            subjects.SHIPMENTS_FIND,
            subjects.ALL_RESTS,
            subjects.STATUS,
            *_inboxes(SHIPPER),
        ),
    ),
    WRITEBACK: Permissions(
        publish=(
            subjects.ALL_WRITEBACK_OUTCOMES,
            *_inboxes(COORDINATOR, *_CLIENTS),
            *_taken_by(topology.WRITEBACK_COMMANDS),
            *_INFO,
        ),
        subscribe=(subjects.SOURCES_RESTORE, subjects.STATUS, *_inboxes(WRITEBACK)),
    ),
    # A client, and one that answers who is there.
    CONSOLE: Permissions(
        publish=(*_BY_A_PERSON, *_inboxes(*_CLIENTS)),
        subscribe=(subjects.ALL_EVENTS, subjects.STATUS, *_inboxes(CONSOLE)),
    ),
    CLI: Permissions(publish=_BY_A_PERSON, subscribe=(subjects.ALL_EVENTS, *_inboxes(CLI))),
    DOCTOR: Permissions(
        publish=(*(subjects.api(call) for call in _LOOKED_AT_ONLY), *_LOOKED_AT),
        subscribe=_inboxes(DOCTOR),
    ),
    # For a person at the bus: backup and restore of streams, repairs. No process of Tallyman is this user.
    ADMIN: Permissions(publish=(">",), subscribe=(">",)),
}


def password_variable(user: str) -> str:
    """The variable that the server reads a user's password from."""
    return f"TALLY_NATS_{user.upper()}_PASSWORD"


def configuration() -> str:
    """The `authorization` block of the server's configuration; passwords come from the server's own environment."""
    users = "".join(_user(name, permissions) for name, permissions in USERS.items())
    return (
        "# Written by make docs from shared/bus/permissions.py: change that.\n"
        "# Passwords are variables of the server's environment.\n"
        f"authorization {{\n  users: [\n{users}  ]\n}}\n"
    )


def _user(name: str, permissions: Permissions) -> str:
    return (
        f"    {{\n      user: {name}\n      password: ${password_variable(name)}\n      permissions: {{\n"
        f"        publish: {{ allow: {_list(permissions.publish)} }}\n"
        f"        subscribe: {{ allow: {_list(permissions.subscribe)} }}\n      }}\n    }}\n"
    )


def _list(allowed: tuple[str, ...]) -> str:
    lines = "".join(f'          "{subject}"\n' for subject in allowed)
    return f"[\n{lines}        ]"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(configuration(), encoding="utf-8")
