"""The client against a real NATS server and a house that answers as each test tells it."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from services.cli.commands.jobs import print_events
from services.cli.finding import resolve_job
from services.cli.following import await_write_back, follow, take_in
from shared.addresses import without_credentials
from shared.client import TallyClient
from shared.contracts import subjects
from shared.contracts.api import PreviewProgress, PreviewSource, Reply, ServiceStatus
from shared.contracts.documents import JobDocument, PreviewDocument, PreviewRow, RowDocument, WriteBackCounts
from shared.contracts.events import EventType, JobEvent
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobStatus
from shared.errors import NO_ROWS, TallyError
from shared.watching import has_ended
from tests.unit.cli_stand_ins import AT, WITHIN, ScriptedHouse, dollars, job, nats_bus, row, scripted_house

REQUEST = JobRequest(request_id="orders-1", source=CsvSource(path="orders.csv"))


PREVIEW_ROWS = tuple(
    PreviewRow(row_number=number, recipient="Zoë Ng", destination="Agawam, MA", service="ground")
    for number in range(1, 4)
)
PREVIEW = PreviewDocument(
    source=REQUEST.source,
    where=None,
    mapping="default",
    total=3,
    to_ship=3,
    skipped=0,
    estimate=dollars("37.20"),
    rated=3,
    unrated=0,
    rows=PREVIEW_ROWS[:1],
)
MADE = job(status=JobStatus.PENDING)
ACCEPTED = JobEvent(type=EventType.ACCEPTED, at=AT, job_id=MADE.job_id, request_id=MADE.request_id, job=MADE)
REJECTED = JobEvent(
    type=EventType.REJECTED,
    at=AT,
    job_id=None,
    request_id="orders-1",
    error=TallyError(NO_ROWS, path="orders.csv", where="1 = 2").body,
)


@pytest.fixture(autouse=True)
def silence_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.client.requests.SILENCE", 0.2)
    monkeypatch.setattr("shared.client.watching.SILENCE", 0.2)
    monkeypatch.setattr("services.cli.following.SILENCE", 0.2)


def said(event: JobEvent) -> tuple[str, bytes]:
    return subjects.event(event.job_id, event.type), event.encode()


async def test_a_bus_that_is_not_there_is_said_at_once_and_without_its_token() -> None:
    with pytest.raises(TallyError, match=r"E-4001: The bus at nats://127\.0\.0\.1:1 cannot be reached"):
        await TallyClient.connect("nats://token@127.0.0.1:1")


async def preview_told(house: ScriptedHouse, *told: PreviewProgress, answered: bool = True) -> None:
    """Answer a preview: first so much progress, then a document that counts three rows."""

    async def answer(message: Msg) -> None:
        call = PreviewSource.model_validate_json(message.data)
        assert call.progress is not None
        for progress in told:
            await house.connection.publish(call.progress, progress.encode())
        if answered:
            await message.respond(Reply(result=PREVIEW.model_dump(mode="json")).encode())

    await house.connection.subscribe(subjects.api("preview"), cb=answer)
    await house.connection.flush()


async def test_a_preview_of_every_row_is_put_together_from_what_comes_meanwhile(tmp_path: Path) -> None:
    async with scripted_house(tmp_path, answering=False) as (house, client):
        await preview_told(
            house,
            PreviewProgress(read=3),
            PreviewProgress(read=3, to_rate=3, rated=3, rows=PREVIEW_ROWS[:2]),
            PreviewProgress(read=3, to_rate=3, rated=3, rows=PREVIEW_ROWS[2:]),
        )
        heard: list[PreviewProgress] = []
        preview = await client.preview(REQUEST, 1, every_row=True, on_progress=heard.append)
        assert preview.rows == PREVIEW_ROWS
        assert [progress.rated for progress in heard] == [0, 3, 3]
        assert (await client.preview(REQUEST, 1)).rows == PREVIEW_ROWS[:1]


@pytest.mark.parametrize(
    ("told", "answered"),
    [
        pytest.param((), False, id="no answer"),
        pytest.param((PreviewProgress(read=3, rows=PREVIEW_ROWS[:2]),), True, id="a page is missing"),
    ],
)
async def test_a_preview_that_falls_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: tuple[PreviewProgress, ...], *, answered: bool
) -> None:
    monkeypatch.setattr("shared.client.requests.PREVIEW_SILENCE", 0.5)
    async with scripted_house(tmp_path, answering=False) as (house, client):
        await preview_told(house, *told, answered=answered)
        with pytest.raises(TallyError, match="E-4002"):
            await client.preview(REQUEST, every_row=True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("nats://me:secret@bus:4222", "nats://bus:4222"),
        ("nats://token@a:1,nats://token@b:2", "nats://a:1,nats://b:2"),
        ("nats://me:p@ss,w/rd@a:1,tls://me:p@ss@b:2", "nats://a:1,tls://b:2"),
        ("me:secret@bus:4222", "bus:4222"),
        ("nats://a:1,nats://b:2", "nats://a:1,nats://b:2"),
    ],
)
def test_an_address_is_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


async def test_a_submission_returns_the_event_that_accepts_it(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.answers = [said(ACCEPTED)]
        event = await asyncio.wait_for(client.submit(REQUEST), WITHIN)
        assert (event.type, event.request_id) == (EventType.ACCEPTED, "orders-1")
        assert house.requests.get_nowait()["source"] == REQUEST.source.model_dump()
        assert (await house.connection.jetstream().stream_info("REQUESTS")).state.messages == 1


async def test_other_peoples_events_are_not_taken_for_the_answer(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        anothers = ACCEPTED.model_copy(update={"request_id": "another", "job_id": "other"})
        house.answers = [("tally.events.none.rejected", b"no json"), said(anothers), said(ACCEPTED)]
        event = await asyncio.wait_for(client.submit(REQUEST), WITHIN)
        assert event.job_id == MADE.job_id


async def test_a_missed_event_is_made_up_for_by_looking_the_request_up(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9")}
        event = await asyncio.wait_for(client.submit(REQUEST), WITHIN)
        assert (event.type, event.job_id) == (EventType.ACCEPTED, "k3v9")


async def test_a_request_id_of_another_request_is_not_taken_for_accepted(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9", where="state = 'CA'")}
        with pytest.raises(TallyError, match="E-2021"):
            await asyncio.wait_for(client.submit(REQUEST), WITHIN)


async def test_a_rejection_is_raised_with_the_houses_own_words(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.answers = [said(REJECTED)]
        with pytest.raises(TallyError) as caught:
            await asyncio.wait_for(take_in(client, REQUEST), WITHIN)
        assert caught.value.body == REJECTED.error
        assert caught.value.kind is NO_ROWS


async def test_a_bus_without_the_stream_does_not_confirm_the_request(tmp_path: Path) -> None:
    async with nats_bus(tmp_path) as url, await TallyClient.connect(url, 1) as client:
        with pytest.raises(TallyError, match=r"E-4013: The bus did not confirm tally\.requests\.submit"):
            await asyncio.wait_for(client.submit(REQUEST), WITHIN)


async def test_a_call_that_nobody_answers_says_so(tmp_path: Path) -> None:
    async with scripted_house(tmp_path, answering=False) as (_, client):
        with pytest.raises(TallyError, match=r"E-4002: No coordinator answered tally\.api\.list in 2 s"):
            await asyncio.wait_for(client.list_jobs(), WITHIN)


async def test_a_long_call_that_nobody_listens_for_is_given_up_soon_and_says_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.client.connection.NOBODY_FOR", 0.5)
    async with scripted_house(tmp_path, answering=False) as (_, client):
        with pytest.raises(TallyError, match=r"E-4002: No coordinator answered tally\.api\.inspect in 0\.5 s"):
            await asyncio.wait_for(client.inspect(REQUEST), WITHIN)


async def test_a_call_waits_for_a_coordinator_that_is_just_starting(tmp_path: Path) -> None:
    async with scripted_house(tmp_path, answering=False) as (house, client):
        house.jobs = {"k3v9": job("k3v9")}
        asked = asyncio.create_task(client.show("k3v9"))
        await house.answer_calls()
        assert (await asyncio.wait_for(asked, WITHIN)).job_id == "k3v9"


async def test_rows_are_fetched_page_by_page(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.rows = [row(number) for number in range(1, 8)]
        rows = [found.row_number async for found in client.rows("k3v9", page=3)]
        assert rows == [1, 2, 3, 4, 5, 6, 7]
        assert [body["after"] for call, body in house.calls if call == "rows"] == [0, 3, 6]


async def test_who_orders_goes_with_the_order(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9")}
        for order in (client.reject, client.pause, client.resume, client.cancel):
            await order("k3v9", "maya")
        body = {"version": 1, "job_id": "k3v9", "by": "maya"}
        assert house.calls == [(call, body) for call in ("reject", "pause", "resume", "cancel")]


async def test_what_was_seen_goes_with_an_approval(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9")}
        await client.approve("k3v9", "maya", seen=dollars("372.00"))
        seen = {"amount": "372.00", "currency": "USD"}
        assert house.calls == [("approve", {"version": 1, "job_id": "k3v9", "by": "maya", "estimate": seen})]


async def test_every_process_that_answers_is_listed(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        assert await client.services(0.2) == ()
        house.services = [
            ServiceStatus(name="shipper", pid=7, state="running"),
            ServiceStatus(name="coordinator", pid=8, state="running"),
            ServiceStatus(name="shipper", pid=6, state="running"),
        ]
        found = [(service.name, service.pid) for service in await client.services(0.2)]
        assert found == [("coordinator", 8), ("shipper", 6), ("shipper", 7)]


async def test_watching_replays_a_job_from_its_first_event_and_goes_on(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        await house.say(EventType.ACCEPTED, job("k3v9", JobStatus.PENDING))
        await house.say(EventType.ACCEPTED, job("other"))
        await house.say(EventType.RUNNING, job("k3v9"))
        async with aclosing(client.watch("k3v9")) as events:
            seen = [await asyncio.wait_for(anext(events), WITHIN) for _ in range(2)]
            await house.say(EventType.COMPLETED, job("k3v9", JobStatus.COMPLETED))
            seen.append(await asyncio.wait_for(anext(events), WITHIN))
        assert [event.type for event in seen] == ["accepted", "running", "completed"]


async def test_a_stream_of_events_ends_with_the_one_that_says_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted_house(tmp_path) as (house, client):
        ended = house.jobs["k3v9"] = job("k3v9", JobStatus.FAILED)
        # A job that runs so fast that it is over before it was said to be running.
        await house.say(EventType.RUNNING, ended)
        await house.say(EventType.FAILED, ended)
        assert await print_events(client, "k3v9") == ended
    assert [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()] == ["running", "failed"]


async def test_a_job_is_followed_by_its_events_to_its_end(tmp_path: Path) -> None:
    changes: list[tuple[int, str]] = []

    def note(now: JobDocument, last: RowDocument | None) -> None:
        changes.append((now.cursor, last.tracking_numbers[0] if last else ""))

    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9", cursor=1)}
        following = asyncio.create_task(follow(client, "k3v9", has_ended, note))
        await _until_shown(house)
        await house.say(EventType.PROGRESS, job("k3v9", cursor=2), row(2))
        house.jobs = {"k3v9": job("k3v9", JobStatus.COMPLETED, cursor=30)}
        await house.say(EventType.COMPLETED, house.jobs["k3v9"])
        end = await asyncio.wait_for(following, WITHIN)
    assert end.status is JobStatus.COMPLETED
    assert changes[0] == (1, "")
    assert (2, "1ZTALLY10200000002") in changes
    assert changes[-1] == (30, "")


async def test_an_old_end_is_not_believed(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9")}
        following = asyncio.create_task(follow(client, "k3v9", has_ended))
        await _until_shown(house)
        await house.say(EventType.FAILED, job("k3v9", JobStatus.FAILED))
        await _until_shown(house)
        assert not following.done()
        house.jobs = {"k3v9": job("k3v9", JobStatus.COMPLETED)}
        assert (await asyncio.wait_for(following, WITHIN)).status is JobStatus.COMPLETED


async def test_an_end_whose_event_was_lost_is_found_by_asking(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9")}
        following = asyncio.create_task(follow(client, "k3v9", has_ended))
        await _until_shown(house)
        house.jobs = {"k3v9": job("k3v9", JobStatus.CANCELLED)}
        assert (await asyncio.wait_for(following, WITHIN)).status is JobStatus.CANCELLED


async def test_a_job_is_followed_though_nobody_answers_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when every coordinator is started anew in the moment between a submission and the first question."""
    monkeypatch.setattr("shared.client.connection.NOBODY_FOR", 0.2)
    async with scripted_house(tmp_path, answering=False) as (house, client):
        house.jobs = {"k3v9": job("k3v9", JobStatus.COMPLETED)}
        unanswered = asyncio.Event()
        show = client.show

        async def noted(job_id: str) -> JobDocument:
            try:
                return await show(job_id)
            except TallyError:
                unanswered.set()
                raise

        monkeypatch.setattr(client, "show", noted)
        following = asyncio.create_task(follow(client, "k3v9", has_ended))
        await asyncio.wait_for(unanswered.wait(), WITHIN)
        await house.answer_calls()
        assert (await asyncio.wait_for(following, WITHIN)).status is JobStatus.COMPLETED


async def test_the_end_waits_for_what_is_still_to_be_written_back(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {"k3v9": job("k3v9", JobStatus.COMPLETED)}
        waiting = asyncio.create_task(await_write_back(client, house.jobs["k3v9"]))
        await _until_shown(house)
        written = WriteBackCounts(due=0, written=15)
        house.jobs = {"k3v9": job("k3v9", JobStatus.COMPLETED, write_back=written)}
        assert (await asyncio.wait_for(waiting, WITHIN)).write_back == written


async def test_a_job_is_named_by_its_id_its_beginning_or_last(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, client):
        house.jobs = {
            name: job(name, created_at=AT + timedelta(minutes=number))
            for number, name in enumerate(("abc", "abd", "xyz"))
        }
        assert (await resolve_job(client, "abc")).job_id == "abc"
        assert (await resolve_job(client, "x")).job_id == "xyz"
        assert (await resolve_job(client, "last")).job_id == "xyz"
        with pytest.raises(TallyError, match="E-4007: ab begins the ids of several jobs: abd, abc"):
            await resolve_job(client, "ab")
        with pytest.raises(TallyError, match="E-4003: There is no job q"):
            await resolve_job(client, "q")
        house.jobs = {}
        with pytest.raises(TallyError, match="E-4003"):
            await resolve_job(client, "last")


async def _until_shown(house: ScriptedHouse) -> None:
    """Wait until the client has asked once more what became of the job."""
    before = len(house.calls)
    async with asyncio.timeout(WITHIN):
        while len(house.calls) == before:
            await house.connection.flush()
