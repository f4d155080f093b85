"""Two coordinators at one job database: whatever they do at the same time, the rows are as if one had gone first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text, update

from services.coordinator.database import intake, interruption, migration, outcomes, queries, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.steps import Finding
from services.coordinator.database.tables import attempts, audit, jobs, reservations, rows
from services.coordinator.database.voids import VoidOrder
from services.coordinator.identity import job_id_for, request_hash
from services.coordinator.records.auditing import Auditing
from shared.contracts.audit import VerifyAudit
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobStatus
from shared.contracts.writeback import RowWritten
from shared.errors import TallyError
from tests.integration.job_steps import (
    INSTALLATION,
    ISSUE,
    NOW,
    ORDERS,
    failed,
    in_doubt,
    shipped,
    started,
    take_in,
)
from tests.integration.test_interruption import presence

Action = Callable[[Database], Coroutine[Any, Any, Any]]
ROUNDS = 5
PATIENCE = 60


class Coordinators:
    """Two coordinators, each with a thread, an event loop and connections of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line = threading.Barrier(2)
        self._loops = [asyncio.Runner() for _ in range(2)]
        self._databases: dict[int, Database] = {}
        self._threads = [ThreadPoolExecutor(1) for _ in range(2)]
        self.both(
            lambda database: database.write(migration.upgrade), lambda database: database.write(migration.upgrade)
        )

    def both(self, one: Action, other: Action) -> tuple[Any, Any]:
        """What two actions return, or the error that they raise, each done by one coordinator at the same moment."""
        futures = [
            thread.submit(self._run, number, action)
            for number, (thread, action) in enumerate(zip(self._threads, (one, other), strict=True))
        ]
        first, second = (future.result(PATIENCE) for future in futures)
        return first, second

    def one(self, action: Action) -> Any:
        """What an action returns that only the first coordinator does."""
        return self._threads[0].submit(self._alone, action).result(PATIENCE)

    def _alone(self, action: Action) -> Any:
        return self._loops[0].run(action(self._databases[0]))

    def _run(self, number: int, action: Action) -> Any:
        if number not in self._databases:
            self._databases[number] = Database(self._url)
        self._line.wait(PATIENCE)
        try:
            return self._loops[number].run(action(self._databases[number]))
        except TallyError as error:
            return error

    def close(self) -> None:
        for number, thread in enumerate(self._threads):
            thread.submit(self._close, number).result(PATIENCE)
            thread.shutdown()

    def _close(self, number: int) -> None:
        self._loops[number].run(self._databases[number].close())
        self._loops[number].close()


@pytest.fixture
def coordinators(database_url: str) -> Iterator[Coordinators]:
    coordinators = Coordinators(database_url)
    yield coordinators
    coordinators.close()


def doing(command: Callable[..., Any], *arguments: Any) -> Action:
    return lambda database: database.write(command, *arguments)


def asking(query: Callable[..., Any], *arguments: Any) -> Action:
    return lambda database: database.read(query, *arguments)


def recording(outcome: Any) -> Action:
    return doing(outcomes.record_outcome, outcome, NOW, ISSUE)


def running(request_id: str, count: int = 3, **options: Any) -> Action:
    return lambda database: started(database, request_id, count, **options)


def taking_in(request_id: str, count: int, **options: Any) -> Action:
    return lambda database: take_in(database, request_id, count, **options)


def told(connection: Connection, job_id: str) -> list[tuple[int, str, int]]:
    """The rows of a job: number, state, attempt."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.status, rows.c.attempt)
        .where(rows.c.job_id == job_id)
        .order_by(rows.c.row_number)
    )
    return [(row.row_number, row.status, row.attempt) for row in found]


def in_flight(connection: Connection) -> dict[str, int]:
    """How many rows are in flight that have the same order, by what reserves it."""
    found = connection.execute(
        select(rows.c.reservation_key, func.count())
        .where(rows.c.status == "in_flight")
        .group_by(rows.c.reservation_key)
    )
    return {row[0]: row[1] for row in found}


def actions(connection: Connection, job_id: str) -> list[str]:
    return list(
        connection.execute(select(audit.c.action).where(audit.c.job_id == job_id).order_by(audit.c.seq)).scalars()
    )


def test_an_outcome_that_both_get_is_recorded_once(coordinators: Coordinators) -> None:
    job_id = coordinators.one(running("orders", 20))
    for number in range(1, 21):
        one, other = coordinators.both(*[recording(shipped(job_id, number))] * 2)
        assert one.ship == other.ship
        assert one.writeback == other.writeback
    job = coordinators.one(asking(queries.show_job, job_id))
    assert (job.cursor, job.rows.shipped) == (20, 20)
    assert coordinators.one(asking(told, job_id)) == [(number, "shipped", 1) for number in range(1, 21)]
    counted = coordinators.one(asking(lambda connection: connection.scalar(select(func.count()).select_from(attempts))))
    assert counted == 20
    assert coordinators.one(asking(actions, job_id)).count("row.shipped") == 20
    assert coordinators.one(lambda database: Auditing(database).verify(VerifyAudit())).intact


def test_one_request_that_both_take_in_is_one_job(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        request = JobRequest(request_id=f"orders-{number}", source=ORDERS)
        job_id = job_id_for(INSTALLATION, request.request_id)
        admitting = doing(intake.admit, job_id, request, request_hash(request), NOW)
        one, other = coordinators.both(admitting, admitting)
        assert sorted([one.created, other.created]) == [False, True]
        assert coordinators.one(asking(actions, job_id)) == ["job.accepted"]


def test_a_request_id_that_two_requests_have_is_that_of_one(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        asked = [JobRequest(request_id=f"orders-{number}", source=ORDERS, name=name) for name in ("one", "other")]
        job_id = job_id_for(INSTALLATION, asked[0].request_id)
        tried = coordinators.both(*[doing(intake.admit, job_id, each, request_hash(each), NOW) for each in asked])
        refused = [each for each in tried if isinstance(each, TallyError)]
        assert [error.kind.code for error in refused] == ["E-2021"]


def test_an_order_that_two_jobs_have_is_put_in_flight_by_one(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        names = f"one-{number}", f"other-{number}"
        ids = [coordinators.one(taking_in(name, 1, fingerprint=f"order-{number}")) for name in names]
        coordinators.both(*[doing(steps.start, job_id, "intake", "ann", NOW, ISSUE) for job_id in ids])
        states = sorted(coordinators.one(asking(queries.show_job, job_id)).status for job_id in ids)
        assert states == [JobStatus.FAILED, JobStatus.RUNNING]
        assert set(coordinators.one(asking(in_flight)).values()) == {1}


def test_an_order_that_was_shipped_is_shipped_again_by_one_job_at_a_time(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        shipping = {"fingerprint": f"order-{number}"}
        first = coordinators.one(running(f"first-{number}", 1, **shipping))
        coordinators.one(recording(shipped(first, 1, number=f"1Z{number:016d}")))
        names = f"one-{number}", f"other-{number}"
        ids = [coordinators.one(taking_in(name, 1, reship=True, **shipping)) for name in names]
        coordinators.both(*[doing(steps.start, job_id, "intake", "ann", NOW, ISSUE) for job_id in ids])
        assert set(coordinators.one(asking(in_flight)).values()) == {1}


def test_an_order_given_up_while_another_job_wants_it_is_had_or_refused(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        first = coordinators.one(running(f"first-{number}", 1, fingerprint=f"order-{number}"))
        second = coordinators.one(taking_in(f"second-{number}", 1, fingerprint=f"order-{number}"))
        starting = doing(steps.start, second, "intake", "ann", NOW, ISSUE)
        _, step = coordinators.both(recording(failed(first, 1)), starting)
        assert not isinstance(step, Exception)
        status = coordinators.one(asking(queries.show_job, second)).status
        assert (step.ship is not None) == (status is JobStatus.RUNNING)


def test_a_resume_beside_a_step_starts_one_row_once(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        job_id = coordinators.one(running(f"orders-{number}", fingerprint=f"order-{number}"))
        coordinators.one(doing(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW))
        resuming = doing(steps.resume, job_id, "ann", NOW, ISSUE)
        coordinators.both(recording(shipped(job_id, 1)), resuming)
        assert coordinators.one(asking(told, job_id)) == [(1, "shipped", 1), (2, "in_flight", 1), (3, "pending", 0)]


def test_two_resumes_make_one_new_attempt(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        job_id = coordinators.one(running(f"orders-{number}", fingerprint=f"order-{number}"))
        coordinators.one(recording(failed(job_id, 1)))
        tried = coordinators.both(*[doing(steps.resume, job_id, "ann", NOW, ISSUE)] * 2)
        assert [each.kind.code for each in tried if isinstance(each, TallyError)] == ["E-4005"]
        assert coordinators.one(asking(told, job_id))[0] == (1, "in_flight", 2)


def test_a_cancel_beside_a_step_lets_no_further_row_start_afterwards(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        job_id = coordinators.one(running(f"orders-{number}", fingerprint=f"order-{number}"))
        halting = doing(steps.halt, job_id, JobStatus.CANCELLED, "ann", NOW)
        coordinators.both(recording(shipped(job_id, 1)), halting)
        happened = coordinators.one(asking(actions, job_id))
        states = [status for _, status, _ in coordinators.one(asking(told, job_id))]
        went_first = happened.index("job.cancelled") < happened.index("row.shipped")
        assert states == ["shipped", "pending" if went_first else "in_flight", "pending"]


def test_a_void_beside_what_became_of_a_write_back_loses_neither(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        job_id = coordinators.one(running(f"orders-{number}", fingerprint=f"order-{number}"))
        coordinators.one(recording(shipped(job_id, 1)))
        report = RowWritten(job_id=job_id, row_number=1, row_version=1, status="written")
        voiding = doing(voids.order_voids, job_id, VoidOrder((1,), "ann"), NOW)
        _, step = coordinators.both(doing(steps.record_written, job_id, [report], NOW), voiding)
        assert len(step.voids) == 1
        row = coordinators.one(asking(queries.show_row, job_id, 1))
        assert (row.status, row.write_back.status) == ("voiding", "written")


def test_a_number_that_two_people_give_to_two_rows_is_that_of_one(coordinators: Coordinators) -> None:
    for number in range(ROUNDS):
        ids = [
            coordinators.one(running(f"{name}-{number}", fingerprint=f"{name}-{number}")) for name in ("one", "other")
        ]
        for job_id in ids:
            coordinators.one(recording(in_doubt(job_id, 1)))
        finding = Finding(f"1ZTWICE{number:011d}", "ann", "")
        tried = coordinators.both(*[doing(steps.resolve, job_id, 1, finding, NOW) for job_id in ids])
        assert [each.kind.code for each in tried if isinstance(each, TallyError)] == ["E-4026"]


def test_coordinators_that_start_together_interrupt_a_job_once(coordinators: Coordinators) -> None:
    job_id = coordinators.one(running("orders", on_interrupt="resume"))
    for number in range(ROUNDS):
        coordinators.one(doing(lambda connection: connection.execute(text("DELETE FROM coordinators"))))
        coordinators.both(*[doing(interruption.arrive, presence(f"{name}-{number}"), NOW) for name in ("one", "other")])
        assert coordinators.one(asking(actions, job_id)).count("job.interrupted") == number + 1


def test_transactions_that_wait_for_each_other_are_both_carried_out(coordinators: Coordinators) -> None:
    ids = sorted(coordinators.one(running(name, fingerprint=name)) for name in ("one", "other"))
    meeting = threading.Barrier(2)

    def rename(connection: Connection, order: list[str]) -> None:
        for place, job_id in enumerate(order):
            connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(name=jobs.c.name + "."))
            if place == 0 and connection.dialect.name == "postgresql" and not meeting.broken:
                with suppress(threading.BrokenBarrierError):
                    meeting.wait(5)  # each has one of the two, and neither lets go of it before it has the other
                meeting.abort()

    coordinators.both(doing(rename, ids), doing(rename, ids[::-1]))
    names = coordinators.one(asking(lambda connection: connection.execute(select(jobs.c.name)).scalars().all()))
    assert names == ["orders.csv.."] * 2


def test_reservations_are_those_of_rows_that_hold_them(coordinators: Coordinators) -> None:
    """Two jobs over the same orders, moved by both coordinators until nothing moves: each order is sold once."""
    ids = [coordinators.one(taking_in(name, 8)) for name in ("one", "other")]
    coordinators.both(*[doing(steps.start, job_id, "intake", "ann", NOW, ISSUE) for job_id in ids])

    async def push(database: Database, job_id: str) -> None:
        for _ in range(40):
            job = await database.read(queries.show_job, job_id)
            if job.status is JobStatus.FAILED:
                with suppress(TallyError):  # the other job has the order in its hands, or resumed it
                    await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
            for number, status, attempt in await database.read(told, job_id):
                if status == "in_flight":
                    sale = shipped(job_id, number, attempt, number=f"1Z{job_id[:8]}{number}")
                    await database.write(outcomes.record_outcome, sale, NOW, ISSUE)

    def pushing(job_id: str) -> Action:
        return lambda database: push(database, job_id)

    for one, other in ((ids[0], ids[1]), (ids[1], ids[0])):
        coordinators.both(pushing(one), pushing(other))
    sold = [
        number for job_id in ids for number, status, _ in coordinators.one(asking(told, job_id)) if status == "shipped"
    ]
    assert sorted(sold) == list(range(1, 9))
    holders = coordinators.one(asking(lambda connection: connection.execute(select(reservations)).all()))
    assert len(holders) == 8
