import asyncio

import pytest

from services.shipper.carriers.places import Places, Turn


async def waiting(places: Places, *, bulk: bool = False) -> asyncio.Task[Turn]:
    """Somebody who waits for a place."""
    task = asyncio.create_task(places.take(bulk=bulk))
    await asyncio.sleep(0)
    return task


async def settled() -> None:
    """Let everybody go on who can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_there_are_and_the_next_in_line_gets_what_is_given_back() -> None:
    places = Places(2)
    first, _second = await places.take(), await places.take()
    third, fourth = await waiting(places), await waiting(places)
    first.release()
    first.release()
    await settled()
    assert (third.done(), fourth.done(), places.in_use) == (True, False, 2)
    fourth.cancel()


async def test_a_purchase_goes_before_the_quotes_that_wait_longer() -> None:
    places = Places(1)
    turn = await places.take(bulk=True)
    quote, purchase = await waiting(places, bulk=True), await waiting(places)
    turn.release()
    await settled()
    assert (purchase.done(), quote.done()) == (True, False)
    quote.cancel()


async def test_quotes_leave_some_places_free() -> None:
    places = Places(8)
    quotes = [await waiting(places, bulk=True) for _ in range(20)]
    await settled()
    assert sum(quote.done() for quote in quotes) == 7
    assert (await asyncio.wait_for(places.take(), 1)).held
    for quote in quotes:
        quote.cancel()


async def test_where_purchases_always_wait_quotes_get_an_eighth() -> None:
    places = Places(1)
    turn = await places.take()
    order: list[str] = []

    async def call(name: str, *, bulk: bool) -> None:
        with await places.take(bulk=bulk):
            order.append(name)

    calls = [asyncio.create_task(call("quote", bulk=True)) for _ in range(2)]
    calls += [asyncio.create_task(call("purchase", bulk=False)) for _ in range(20)]
    await settled()
    turn.release()
    await asyncio.gather(*calls)
    assert [number for number, name in enumerate(order) if name == "quote"] == [7, 15]


async def test_who_gives_up_waiting_takes_no_place() -> None:
    places = Places(1)
    turn = await places.take()
    impatient, patient = await waiting(places), await waiting(places)
    impatient.cancel()
    await settled()
    turn.release()
    (await patient).release()
    assert places.in_use == 0


async def test_one_who_is_cancelled_with_a_place_in_hand_gives_it_back() -> None:
    places = Places(1)
    turn = await places.take()
    unlucky = await waiting(places)
    turn.release()
    unlucky.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unlucky
    assert places.in_use == 0


async def test_after_its_lease_there_is_no_place_until_it_is_renewed() -> None:
    now = 10.0
    places = Places(0, steady=lambda: now)
    places.allot(2, until=13.0, per_second=0)
    opened = places.is_open
    now = 13.0
    assert (opened, places.is_open) == (True, False)
    late = await waiting(places)
    await settled()
    assert not late.done()
    places.allot(2, until=16.0, per_second=0)
    assert (await late).held


async def test_fewer_places_than_are_in_use_let_nobody_in_until_enough_are_given_back() -> None:
    places = Places(3)
    turns = [await places.take() for _ in range(3)]
    places.allot(1, until=float("inf"), per_second=0)
    last = await waiting(places)
    turns[0].release()
    turns[1].release()
    await settled()
    assert not last.done()
    turns[2].release()
    assert (await last).held


async def test_no_more_starts_in_a_second_than_the_account_may_make() -> None:
    loop = asyncio.get_running_loop()
    places = Places(10, per_second=50.0, steady=loop.time)
    started = loop.time()
    turns = [await places.take() for _ in range(6)]
    await places.pace()
    assert loop.time() - started >= 6 / 50 - 0.005
    assert all(turn.held for turn in turns)
