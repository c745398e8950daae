"""Loops in threads of their own: nothing is left pending when they end."""

import asyncio

import pytest

from runtime.event_loops import end_loop, run_in


def test_what_is_under_way_is_cancelled_and_cleans_up() -> None:
    loop, ended = asyncio.new_event_loop(), list[str]()

    async def wait(name: str) -> None:
        try:
            await loop.create_future()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    tasks = [loop.create_task(wait(name)) for name in "ab"]
    loop.run_until_complete(asyncio.sleep(0))
    end_loop(loop)
    assert sorted(ended) == ["a", "b"]
    assert all(task.cancelled() for task in tasks)
    assert loop.is_closed()


def test_a_task_that_will_not_end_does_not_hold_the_end_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.event_loops._ENDING_S", 0.01)
    loop = asyncio.new_event_loop()

    async def stay() -> None:
        while True:
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                continue

    task = loop.create_task(stay())
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio would rightly complain
    loop.run_until_complete(asyncio.sleep(0))
    end_loop(loop)
    assert loop.is_closed()
    assert not task.done()


@pytest.mark.parametrize("is_closed", [True, False])
def test_work_for_a_loop_that_is_closed_or_closes_this_moment_is_dropped(
    is_closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, done = asyncio.new_event_loop(), list[int]()
    loop.close()
    monkeypatch.setattr(loop, "is_closed", lambda: is_closed)  # when it was asked

    async def work() -> None:
        done.append(1)

    run_in(loop, work())
    assert done == []
