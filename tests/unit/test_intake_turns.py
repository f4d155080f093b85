import asyncio

from services.coordinator.intake.turns import IntakeTurns


async def going_on() -> None:
    """What a long intake says while it waits."""


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_long_intake_leaves_its_place_to_the_next_request() -> None:
    turns = IntakeTurns(at_once=2, long_at_once=1)
    with turns.begin() as turn, turns.begin():
        assert turns.free == 0
        await turn.becomes_long(going_on)
        assert turns.free == 1
        with turns.begin():
            assert turns.free == 0
    assert turns.free == 2


async def test_long_intakes_wait_for_one_another_and_no_short_one_for_them() -> None:
    turns = IntakeTurns(at_once=2, long_at_once=1)
    with turns.begin() as first, turns.begin() as second:
        await first.becomes_long(going_on)
        waiting = asyncio.create_task(second.becomes_long(going_on))
        await settled()
        assert (waiting.done(), turns.free) == (False, 2)
        first.source_is_read()
        await waiting
    assert turns.free == 2


async def test_an_intake_that_ends_while_it_waits_leaves_nothing_taken() -> None:
    turns = IntakeTurns(at_once=1, long_at_once=1)
    with turns.begin() as first:
        await first.becomes_long(going_on)
        with turns.begin() as second:
            waiting = asyncio.create_task(second.becomes_long(going_on))
            await settled()
            waiting.cancel()
            await asyncio.wait([waiting])
        first.end()
        with turns.begin() as third:
            await asyncio.wait_for(third.becomes_long(going_on), 1)
    assert turns.free == 1
