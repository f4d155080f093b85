"""A house whose processes are each a user of their own on the bus: what is done works, and nothing else is let do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
import subprocess
from collections.abc import Iterator
from typing import Any

import nats
import pytest

from shared.contracts import subjects
from tests.security.secure_house import (
    PERSON,
    PERSONAL,
    SECRET_WORDS,
    SecureHouse,
    as_user,
    secure_house,
    write_planted,
)

pytestmark = pytest.mark.timeout(400)
SOURCE_MODE = 0o664
SERVICES = ("coordinator", "shipper", "writeback")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureHouse]:
    with secure_house(tmp_path_factory.mktemp("secure")) as house:
        yield house


def done(ran: subprocess.CompletedProcess[str], code: int = 0) -> subprocess.CompletedProcess[str]:
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran


@pytest.fixture(scope="module")
def said(secure: SecureHouse) -> dict[str, subprocess.CompletedProcess[str]]:
    """Everything that a person does to jobs, done; what each command printed."""
    run = secure.house.run
    orders = secure.house.folder
    first = write_planted(orders / "first.csv", 4)
    first.chmod(SOURCE_MODE)
    said = {
        "inspect": done(run("inspect", str(first))),
        "preview": done(run("preview", str(first))),
        "compare": done(run("preview", str(first), "--compare")),
        "ship": done(run("ship", str(first), "--yes")),
        "verify": done(run("verify", "last")),
        "labels": done(run("labels", "last", "-o", "labels.pdf")),
        "report": done(run("report", "last", "--out", "report.xlsx")),
        "audit": done(run("audit", "last", "-o", "audit.csv")),
        "audit verify": done(run("audit", "verify")),
        "void": done(run("void", "last", "1", "--yes")),
        "rows": done(run("rows", "last")),
        "show": done(run("show", "last", "2")),
        "status": done(run("status")),
        "doctor": done(run("doctor")),
    }
    echo = f"No such place: {PERSON['name']}, {PERSON['company']}, {PERSON['address_1']}, {PERSON['phone']}"
    refusal = {"fault": "error", "status": 400, "code": "120207", "message": echo}
    with secure.faults({"match": {"nth": 2}, **refusal}):
        said["refused"] = done(run("ship", str(write_planted(orders / "refused.csv", 3)), "--yes"), 1)
    said["resumed"] = done(run("resume", "last"))
    lost = {"fault": "error", "status": 503, "code": "10004", "message": echo}
    with secure.faults({"match": {"nth": 1}, **lost}):
        said["doubt"] = done(run("ship", str(write_planted(orders / "doubt.csv", 2)), "--yes"), 4)
    why = f"{PERSON['email']} asked us to"
    said["in doubt"] = done(run("resolve", "last", "1", "--not-shipped", "--why", why))
    said["cancelled"] = done(run("cancel", "last"))
    said["unfit"] = done(
        run("ship", str(write_planted(orders / "unfit.csv", 2, weight="heavy", phone="call Zebulon"))), 1
    )
    said["database"] = done(run("ship", "shop.orders", "--yes"), 1)
    asyncio.run(poison(secure))
    said["last"] = done(run("ship", str(write_planted(orders / "after.csv", 2)), "--yes"))
    said["purge"] = done(run("purge", "--older-than", "0h", "--dry-run"))
    said["jobs"] = done(run("jobs"))
    return said


async def poison(secure: SecureHouse) -> None:
    """Messages that cannot be read, with what nobody may print, from who may send them and from an administrator."""
    body = json.dumps({"person": PERSON, "secrets": SECRET_WORDS, "request_id": 7, "mode": "x"}).encode()
    client, admin = await secure.connect("cli"), await secure.connect("admin")
    await client.jetstream().publish(subjects.SUBMIT, body)
    for subject in (subjects.ledger("nobody", 1), subjects.ship_command("nobody"), subjects.void_command("nobody", 1)):
        await admin.jetstream().publish(subject, body)
    await admin.jetstream().publish(subjects.writeback_command("nothing", "nobody", 1), body)
    newer = json.dumps({"version": 99, "person": PERSON, "secrets": SECRET_WORDS}).encode()
    await client.jetstream().publish(subjects.SUBMIT, newer)
    for subject in (
        subjects.ledger("newer", 1),
        subjects.ship_command("newer"),
        subjects.void_command("newer", 1),
        subjects.writeback_command("newer", "newer", 1),
    ):
        await admin.jetstream().publish(subject, newer)
    for call in ("preview", "show", "resolve"):
        await client.request(subjects.api(call), body, timeout=10)
    for question in (subjects.RATES_QUOTE, subjects.LABELS_RECOVER, subjects.SHIPMENTS_FIND, subjects.SOURCES_RESTORE):
        with contextlib.suppress(TimeoutError, nats.errors.Error):  # what cannot be read has no answer
            await admin.request(question, body, timeout=1)
    await client.close()
    await admin.close()


def test_the_server_refused_nothing_of_all_that_was_done(secure: SecureHouse, said: dict[str, Any]) -> None:
    assert said
    assert secure.violations() == []
    for name in SERVICES:
        assert secure.processes[name].poll() is None
        assert "E-5010" not in secure.log(name).read_text()


def found(text: str, words: tuple[str, ...]) -> list[str]:
    lines = [line for line in text.splitlines() if any(word.lower() in line.lower() for word in words)]
    return lines[:5]


def test_no_log_has_a_secret_or_a_persons_data(secure: SecureHouse, said: dict[str, Any]) -> None:
    assert said
    for log in (secure.folder / "logs").iterdir():
        assert found(log.read_text(errors="replace"), PERSONAL + SECRET_WORDS) == [], log.name


def test_no_page_and_no_span_has_a_secret_or_a_persons_data(secure: SecureHouse, said: dict[str, Any]) -> None:
    assert said
    for name, page in secure.pages().items():
        assert page, name
        assert found(page, PERSONAL + SECRET_WORDS) == [], name
    spans = b"".join(secure.collector.taken).decode(errors="replace")
    assert "tally.commands.ship" in spans
    assert found(spans, PERSONAL + SECRET_WORDS) == []


def test_no_command_prints_a_secret_and_no_error_a_persons_data(said: dict[str, Any]) -> None:
    for name, ran in said.items():
        assert found(ran.stdout + ran.stderr, SECRET_WORDS) == [], name
        assert found(ran.stderr, PERSONAL) == [], name


async def test_no_event_and_no_outcome_has_a_persons_data(secure: SecureHouse, said: dict[str, Any]) -> None:
    assert said
    admin = await secure.connect("admin")
    js = admin.jetstream()
    for stream in (subjects.EVENTS, subjects.OUTCOMES, subjects.PLACES, subjects.PARKED):
        state = (await js.stream_info(stream)).state
        for sequence in range(state.first_seq, state.last_seq + 1):
            try:
                message = await js.get_msg(stream, sequence)
            except nats.js.errors.NotFoundError:
                continue
            text = (message.data or b"").decode()
            assert found(text, PERSONAL + SECRET_WORDS) == [], f"{stream} {message.subject}"
    await admin.close()


async def refused(secure: SecureHouse, user: str, subject: str, body: bytes = b"{}") -> bool:
    """Whether the server refuses a user's message, and says so in its log."""
    before = len(secure.violations())
    connection = await secure.connect(user)
    await connection.publish(subject, body)
    for _ in range(2):  # nats-py may send a flush's ping ahead of what was published just before it
        await connection.flush()
    await connection.close()
    later = secure.violations()[before:]
    return any(f'user:{user}"' in line and f'"{subject}"' in line for line in later)


NOT_THEIRS = {
    "shipper": (
        subjects.SUBMIT,
        subjects.api("approve"),
        subjects.ship_command("job"),
        subjects.writeback_outcome("source"),
        subjects.event("job", "completed"),
        subjects.LABELS_DROP,
        "$JS.API.STREAM.DELETE.LEDGER",
        "$JS.API.STREAM.PURGE.COMMANDS",
        "$JS.API.STREAM.MSG.DELETE.COMMANDS",
        "$JS.API.CONSUMER.DELETE.COMMANDS.writeback",
        "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.writeback",
        "$JS.ACK.COMMANDS.writeback.1.1.1.1.1",
    ),
    "writeback": (
        subjects.ledger("job", 1),
        subjects.late_ledger("job", 1),
        subjects.SUBMIT,
        subjects.api("resolve"),
        subjects.void_command("job", 1),
        "$JS.API.STREAM.MSG.GET.LEDGER",
        "$JS.API.STREAM.PURGE.LEDGER",
        "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.shipper",
    ),
    "cli": (
        subjects.ledger("job", 1),
        subjects.ship_command("job"),
        subjects.void_command("job", 1),
        subjects.writeback_outcome("source"),
        subjects.event("job", "completed"),
        subjects.LABELS_DROP,
        subjects.SOURCES_RESTORE,
        "$JS.API.STREAM.MSG.GET.COMMANDS",
        "$JS.API.STREAM.MSG.GET.LEDGER",
        "$JS.API.CONSUMER.CREATE.LEDGER",
        "$JS.API.STREAM.DELETE.EVENTS",
        "_INBOX.coordinator.guessed",
    ),
    "console": (subjects.ledger("job", 1), subjects.ship_command("job"), "$JS.API.STREAM.PURGE.EVENTS"),
    "coordinator": (
        subjects.writeback_outcome("source"),
        subjects.void_outcome("job"),
        "$JS.API.STREAM.DELETE.COMMANDS",
        "$JS.API.CONSUMER.MSG.NEXT.COMMANDS.shipper",
    ),
    "doctor": (subjects.SUBMIT, subjects.api("cancel"), subjects.LABELS_GET),
}


@pytest.mark.parametrize("user", NOT_THEIRS)
async def test_a_user_is_refused_what_is_not_its(secure: SecureHouse, said: dict[str, Any], user: str) -> None:
    assert said
    for subject in NOT_THEIRS[user]:
        assert await refused(secure, user, subject), subject


@pytest.mark.parametrize("user", ["shipper", "writeback", "cli"])
async def test_nobody_listens_to_anothers_answers_or_to_commands(secure: SecureHouse, user: str) -> None:
    before = len(secure.violations())
    heard = ("_INBOX.coordinator.>", "_INBOX.>", subjects.ALL_COMMANDS, subjects.ALL_LEDGER, ">")
    connection = await secure.connect(user)
    for subject in heard:
        await connection.subscribe(subject)
    for _ in range(2):
        await connection.flush()
    await connection.close()
    later = "".join(secure.violations()[before:])
    assert all(f'Subscription Violation - Subject "{subject}"' in later for subject in heard), later


def test_a_client_without_the_right_is_told_which_it_lacks(secure: SecureHouse, said: dict[str, Any]) -> None:
    assert said
    doctor = as_user("doctor", secure.folder, secure.environment)
    assert secure.house.run("jobs", environment=doctor).returncode == 0
    told = secure.house.run("cancel", "last", environment=doctor)
    assert told.returncode == 1
    assert told.stderr.startswith("E-5010: The bus does not let doctor publish to tally.api.cancel.")


def test_what_the_house_keeps_is_its_users_alone(secure: SecureHouse, said: dict[str, Any]) -> None:
    assert said
    made = [*(secure.folder / "data").rglob("*"), *(secure.folder / "orders").glob("**/.tally-*")]
    kept = [secure.folder / "orders" / name for name in ("labels.pdf", "report.xlsx", "audit.csv")]
    assert {path.suffix for path in made} >= {".gif", ".db"}
    source = secure.folder / "orders" / "first.csv"
    assert stat.S_IMODE(source.stat().st_mode) == SOURCE_MODE, "written back, it has the mode that it had"
    for path in (*made, *kept):
        mode = stat.S_IMODE(path.stat().st_mode)
        # A backup is as readable as the file that it is a copy of, and their folder as the file's.
        allowed = 0o755 if ".tally-backups" in path.parts else 0o700
        assert mode & ~allowed == 0, f"{path} {mode:o}"
