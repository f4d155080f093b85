"""What a shipper has in hand while the bus is away is on disk, and the next shipper says it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from services.shipper.spool import Spool
from shared.bus import topology
from shared.bus.ledger import Ledger
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts.ledger import Claimed, Failed, Outcome, Shipped
from tests.integration.job_steps import ERROR, NOW, claimed, shipped
from tests.integration.nats_servers import connected


@pytest.fixture
async def ledger(nats_url: str) -> AsyncIterator[Ledger]:
    connection: Client = await connected(nats_url)
    await topology.apply(connection.jetstream())
    ledger = Ledger(connection, Publisher(connection.jetstream()))
    await ledger.refresh()
    yield ledger
    await connection.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


async def claim_of(ledger: Ledger, job_id: str, *, after: int = 0) -> tuple[Claimed, int]:
    claim = claimed(job_id, 1, epoch=ledger.epoch)
    return claim, await ledger.claim(claim, after)


def sale(claim: Claimed) -> Shipped:
    return shipped(claim.job_id, 1).model_copy(update={"claim_id": claim.claim_id, "epoch": claim.epoch})


async def die_while_keeping(spool: Spool, outcome: Outcome, sequence: int) -> None:
    """Leave the file behind as a killed process would."""
    with pytest.raises(KeyboardInterrupt):
        async with spool.kept(outcome, sequence):
            raise KeyboardInterrupt


async def test_a_sale_that_a_dead_shipper_kept_is_recorded_by_the_next_one(ledger: Ledger, spool: Spool) -> None:
    claim, sequence = await claim_of(ledger, fresh_id())
    await die_while_keeping(spool, sale(claim), sequence)
    await spool.deliver(ledger)
    last = await ledger.last(claim.job_id, 1)
    assert last is not None
    assert last.entry == sale(claim)


async def test_a_kept_sale_whose_claim_was_taken_over_goes_to_the_late_ledger(ledger: Ledger, spool: Spool) -> None:
    claim, sequence = await claim_of(ledger, fresh_id())
    await die_while_keeping(spool, sale(claim), sequence)
    await claim_of(ledger, claim.job_id, after=sequence)
    await spool.deliver(ledger)
    assert await ledger.outcomes(claim.job_id, 1) == [sale(claim)]


async def test_what_was_said_is_kept_no_longer(ledger: Ledger, spool: Spool, tmp_path: Path) -> None:
    claim, sequence = await claim_of(ledger, fresh_id())
    async with spool.kept(sale(claim), sequence):
        assert len(list((tmp_path / "spool").iterdir())) == 1
    assert list((tmp_path / "spool").iterdir()) == []
    await die_while_keeping(spool, sale(claim), sequence)
    await spool.deliver(ledger)
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_disk_that_takes_nothing_does_not_keep_an_outcome_from_being_said(
    ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "spool").write_text("no folder")
    claim, sequence = await claim_of(ledger, fresh_id())
    async with Spool(tmp_path / "spool").kept(sale(claim), sequence):
        assert await ledger.settle(sale(claim), sequence)


async def test_a_file_that_cannot_be_read_stays_and_keeps_no_other_back(
    ledger: Ledger, spool: Spool, tmp_path: Path
) -> None:
    claim, sequence = await claim_of(ledger, fresh_id())
    await die_while_keeping(spool, sale(claim), sequence)
    torn = tmp_path / "spool" / "0.json"
    torn.write_text("{")
    await spool.deliver(ledger)
    assert await ledger.outcomes(claim.job_id, 1) == [sale(claim)]
    assert list((tmp_path / "spool").iterdir()) == [torn]


async def test_a_failure_of_another_epoch_settles_nothing_even_where_its_sequence_fits(ledger: Ledger) -> None:
    claim, sequence = await claim_of(ledger, fresh_id())
    failure = Failed(
        job_id=claim.job_id, row_number=1, attempt=1, epoch="former", claim_id="c", error=ERROR, failed_at=NOW
    )
    assert not await ledger.settle(failure, sequence)
    last = await ledger.last(claim.job_id, 1)
    assert last is not None
    assert last.entry == claim
