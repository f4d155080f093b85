"""The job database in figures."""

from sqlalchemy import Connection

from services.coordinator.database import figures as module
from services.coordinator.database.engine import Database
from services.coordinator.database.figures import figures
from shared.contracts.states import JobStatus, RowStatus
from tests.integration.job_steps import NOW, failed, in_doubt, record, shipped, started, take_in, written


async def test_an_empty_house_has_every_figure_at_nought(database: Database) -> None:
    found = await database.read(figures)
    assert set(found.jobs) == set(JobStatus)
    assert not any(found.jobs.values())
    assert found.open_rows == {RowStatus.IN_FLIGHT: 0, RowStatus.IN_DOUBT: 0, RowStatus.VOIDING: 0}
    assert (found.labels_due, found.write_backs_due) == (0, 0)
    assert (found.oldest_write_back, found.longest_still) == (None, None)


async def test_jobs_are_counted_by_state_and_rows_by_what_they_wait_for(database: Database) -> None:
    running = await started(database, "running", fingerprint="a")
    await record(database, shipped(running, 1))
    doubtful = await started(database, "doubtful", fingerprint="b")
    await record(database, in_doubt(doubtful, 1))
    await take_in(database, "pending", fingerprint="c")

    found = await database.read(figures)
    assert {status: count for status, count in found.jobs.items() if count} == {
        JobStatus.RUNNING: 1,
        JobStatus.FAILED: 1,
        JobStatus.PENDING: 1,
    }
    assert found.open_rows == {RowStatus.IN_FLIGHT: 1, RowStatus.IN_DOUBT: 1, RowStatus.VOIDING: 0}
    assert (found.write_backs_due, found.oldest_write_back) == (1, NOW)
    assert found.longest_still == NOW

    await written(database, running, 1)
    assert (await database.read(figures)).write_backs_due == 0


async def test_a_job_that_failed_stands_still_for_nobody(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    assert (await database.read(figures)).longest_still is None


async def test_a_step_tells_what_its_row_came_to_once(database: Database) -> None:
    job_id = await started(database)
    sale = shipped(job_id, 1).model_copy(update={"carrier_ms": 12.5})
    ended = (await record(database, sale)).ended
    assert ended is not None
    assert (ended.outcome, ended.attempt, ended.began, ended.carrier_ms) == (RowStatus.SHIPPED, 1, NOW, 12.5)
    assert (await record(database, sale)).ended is None


async def test_no_figure_reads_the_rows_one_by_one(database: Database) -> None:
    queries = [*module._OPEN.values(), module._WRITE_BACKS, module._LABELS, module._MOVED_AT, module._JOBS]

    def plans(connection: Connection) -> list[str]:
        """How the database would read each of them, were the tables long."""
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN"
        found = []
        for query in queries:
            written_out = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
            found.append(str(connection.exec_driver_sql(f"{explain} {written_out}").all()))
        return found

    for plan in await database.read(plans):
        assert "INDEX" in plan.upper(), plan
        assert "SCAN rows'" not in plan, plan
        assert "Seq Scan on rows" not in plan, plan
