import asyncio

import pytest

from shared.cancelling import cancel


async def test_a_loop_that_loses_its_cancellation_to_an_answer_is_cancelled_again() -> None:
    answers: list[asyncio.Future[None]] = []

    async def ask_for_ever() -> None:
        while True:
            answers.append(asyncio.get_running_loop().create_future())
            try:
                await asyncio.wait_for(answers[-1], 60)
            except asyncio.CancelledError:
                if len(answers) > 1:
                    raise  # the first one is lost on any version of Python

    task = asyncio.create_task(ask_for_ever())
    await asyncio.sleep(0)
    answers[0].set_result(None)
    async with asyncio.timeout(10):
        await cancel([task])
    assert task.cancelled()
    assert len(answers) == 2


async def test_a_task_that_ends_with_an_error_is_over() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await cancel([task])
    with pytest.raises((ValueError, asyncio.CancelledError)):
        await task


async def test_without_tasks_there_is_nothing_to_wait_for() -> None:
    await cancel([])
