"""What each user of the bus may do: the committed configuration says it, and every subject of the code is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.bus import topology
from shared.bus.permissions import ADMIN, CLI, CONSOLE, COORDINATOR, DOCTOR, SHIPPER, USERS, WRITEBACK, configuration
from shared.contracts import subjects

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nats" / "users.conf"
PROCESSES = [user for user in USERS if user != ADMIN]


def covers(allowed: str, subject: str) -> bool:
    """Whether a subject, or whatever a pattern of subjects stands for, is within what is allowed."""
    own, asked = allowed.split("."), subject.split(".")
    for place, token in enumerate(own):
        if token == ">":
            return len(asked) > place
        if place >= len(asked) or asked[place] == ">" or (token != "*" and token != asked[place]):
            return False
    return len(own) == len(asked)


def may(user: str, subject: str) -> bool:
    return any(covers(allowed, subject) for allowed in USERS[user].publish)


def test_the_committed_configuration_is_what_make_docs_writes() -> None:
    assert CONFIGURATION.read_text(encoding="utf-8") == configuration()


@pytest.mark.parametrize(
    ("subject", "users"),
    [
        (subjects.SUBMIT, {COORDINATOR, CONSOLE, CLI}),
        (subjects.api("ship"), {CONSOLE, CLI}),
        (subjects.ship_command("job"), {COORDINATOR}),
        (subjects.writeback_command("source", "job", 1), {COORDINATOR}),
        (subjects.void_command("job", 1), {COORDINATOR}),
        (subjects.ledger("job", 1), {COORDINATOR, SHIPPER}),
        (subjects.late_ledger("job", 1), {COORDINATOR, SHIPPER}),
        (subjects.writeback_outcome("source"), {WRITEBACK}),
        (subjects.void_outcome("job"), {SHIPPER}),
        (subjects.abandoned("job"), {SHIPPER}),
        (subjects.event("job", "progress"), {COORDINATOR}),
        (subjects.account_places("account"), {SHIPPER}),
        (subjects.account_rests("account"), {SHIPPER}),
        (subjects.LEDGER_KNOWN, {SHIPPER}),
        (subjects.LABELS_GET, {CONSOLE, CLI}),
        (subjects.LABELS_DROP, {COORDINATOR}),
        (subjects.SOURCES_RESTORE, {COORDINATOR}),
        (subjects.RATES_QUOTE, {COORDINATOR}),
        (subjects.ADDRESSES_CHECK, {COORDINATOR, CONSOLE, CLI, DOCTOR}),
    ],
)
def test_a_subject_is_published_to_by_those_who_must_and_by_nobody_else(subject: str, users: set[str]) -> None:
    assert {user for user in PROCESSES if may(user, subject)} == users


def test_nothing_is_said_on_the_bus_that_nobody_may_say() -> None:
    constants = {name: value for name, value in vars(subjects).items() if name.isupper() and isinstance(value, str)}
    said = {name: value for name, value in constants.items() if value.startswith("tally.") and ">" not in value}
    for name, subject in said.items():
        concrete = subject.replace("*", "x")
        if name == "ALL_PARKED":
            concrete = subjects.parked(subjects.COMMANDS, 1)
        assert any(may(user, concrete) for user in PROCESSES), name


def test_a_service_says_what_waits_of_the_streams_it_takes_from() -> None:
    assert may(SHIPPER, subjects.parked(subjects.COMMANDS, 1))
    assert may(COORDINATOR, subjects.parked(subjects.LEDGER, 1))
    assert not may(SHIPPER, subjects.parked(subjects.LEDGER, 1))


def test_only_a_coordinator_changes_streams_and_consumers() -> None:
    for stream in (str(stream.name) for stream in topology.streams(1)):
        for call in ("STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.DELETE"):
            who = {user for user in PROCESSES if may(user, f"$JS.API.{call}.{stream}")}
            assert who <= {COORDINATOR}, (call, stream)
        assert {user for user in PROCESSES if may(user, f"$JS.API.CONSUMER.CREATE.{stream}.name.x")} == {COORDINATOR}
        reading = {user for user in PROCESSES if may(user, f"$JS.API.CONSUMER.CREATE.{stream}")}
        assert reading == ({CONSOLE, CLI} if stream == subjects.EVENTS else set())


def test_a_consumer_is_taken_from_by_one_service_only() -> None:
    for consumer in topology.CONSUMERS:
        taking = f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}"
        acknowledging = f"$JS.ACK.{consumer.stream}.{consumer.durable}.1.2.3.4.5"
        who = {user for user in PROCESSES if may(user, taking)}
        assert len(who) == 1, consumer
        assert who == {user for user in PROCESSES if may(user, acknowledging)}


def test_nobody_hears_anothers_answers_or_what_a_stream_takes_in() -> None:
    for user in PROCESSES:
        heard = USERS[user].subscribe
        inboxes = [subject for subject in heard if subject.startswith("_INBOX")]
        assert inboxes == [f"_INBOX.{user}.>"]
        for taken in (subjects.ALL_COMMANDS, subjects.ALL_LEDGER, subjects.ALL_REQUESTS, subjects.ALL_OUTCOMES):
            concrete = taken.replace("*", "x").replace(">", "x")
            assert not any(covers(subject, concrete) for subject in heard), (user, taken)


def test_who_only_looks_changes_nothing() -> None:
    for call in ("approve", "cancel", "resolve", "void", "purge", "restore", "pause", "resume", "restart"):
        assert not may(DOCTOR, subjects.api(call))
    assert not may(DOCTOR, subjects.SUBMIT)
