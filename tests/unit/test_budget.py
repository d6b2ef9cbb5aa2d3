"""One budget for all calls by the bot's token: who goes first, and what is put off."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.delivery.budget import Budget, delivering
from bot.delivery.pace import EditPace

BOT = {"Authorization": "Bot secret"}


class Callers:
    """Those who call, by name, and who was let through."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.through: list[str] = []
        self.calls: dict[str, asyncio.Task[None]] = {}

    async def call(self, *names: str, first: bool = False) -> None:
        for name in names:
            self.calls[name] = asyncio.ensure_future(self._last_word(name) if first else self._call(name))
            await asyncio.sleep(0)

    async def _call(self, name: str) -> None:
        await self._budget.take()
        self.through.append(name)

    async def _last_word(self, name: str) -> None:
        with delivering():
            await self._call(name)


@pytest.fixture
async def budget() -> Budget:
    return Budget(10, second_s=0.0)


@pytest.fixture
async def callers(budget: Budget) -> AsyncIterator[Callers]:
    callers = Callers(budget)
    yield callers
    for call in callers.calls.values():
        call.cancel()
    await asyncio.gather(*callers.calls.values(), return_exceptions=True)


async def over(budget: Budget, count: int) -> None:
    """Let so many requests be answered, and their second pass."""
    for _ in range(count):
        budget.spent()
    await asyncio.sleep(0.01)


def numbered(word: str, count: int) -> list[str]:
    return [f"{word} {n}" for n in range(count)]


async def test_three_tenths_are_kept_for_last_words(callers: Callers) -> None:
    edits, words = numbered("edit", 12), numbered("word", 4)
    await callers.call(*edits)
    assert callers.through == edits[:8]
    await callers.call(*words, first=True)
    assert callers.through == [*edits[:8], *words[:2]]


async def test_last_words_go_before_all_that_waited_longer(budget: Budget, callers: Callers) -> None:
    edits, words = numbered("edit", 10), numbered("word", 6)
    await callers.call(*edits)
    await callers.call(*words, first=True)
    await over(budget, 10)
    assert callers.through == [*edits[:8], *words, *edits[8:]]


async def test_progress_yields_before_changes_of_state_do(budget: Budget, callers: Callers) -> None:
    await callers.call(*numbered("edit", 5))
    assert (budget.pressed, budget.wait_s()) == (False, 0.0)
    await callers.call("one more")
    assert budget.pressed
    assert budget.wait_s() == 0.0
    await callers.call(*numbered("further", 2))
    assert budget.wait_s() > 0


async def test_what_is_given_up_while_it_waits_costs_nothing(budget: Budget, callers: Callers) -> None:
    await callers.call(*numbered("edit", 8), "given up", "after it")
    callers.calls["given up"].cancel()
    await over(budget, 1)
    assert callers.through[8:] == ["after it"]


async def test_what_is_given_up_the_moment_it_was_let_through_lets_another_one_through(
    budget: Budget, callers: Callers
) -> None:
    await callers.call(*numbered("edit", 8), "given up", "after it")
    budget.allow(12)
    callers.calls["given up"].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert callers.through[8:] == ["after it"]


async def test_less_is_let_through_from_the_moment_that_less_is_allowed(budget: Budget, callers: Callers) -> None:
    await callers.call(*numbered("edit", 8))
    budget.allow(4)
    await callers.call("later")
    await over(budget, 5)
    assert callers.through[8:] == []
    await over(budget, 1)
    assert callers.through[8:] == ["later"]


async def test_at_the_smallest_rate_everybody_gets_through(budget: Budget, callers: Callers) -> None:
    budget.allow(1)
    await callers.call("edit")
    assert callers.through == ["edit"]


async def test_more_is_wanted_as_soon_as_somebody_found_too_little(budget: Budget, callers: Callers) -> None:
    await callers.call(*numbered("edit", 3))
    assert budget.wanted() == 6
    await callers.call(*numbered("further", 6))
    assert budget.short.is_set()
    assert budget.wanted() == 10
    assert not budget.short.is_set()


async def test_what_a_last_word_starts_beside_itself_does_not_go_first(callers: Callers) -> None:
    with delivering():
        await callers.call(*numbered("beside", 10))
    assert len(callers.through) == 8


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10"
    await runner.cleanup()


async def test_requests_by_the_bots_token_wait_and_those_by_an_interactions_do_not(address: str) -> None:
    pace = EditPace(0)
    message = f"{address}/channels/5/messages/6"
    async with aiohttp.ClientSession(trace_configs=[pace.trace]) as session:
        waiting = asyncio.ensure_future(session.patch(message, headers=BOT))
        for hook in ("webhooks/1/token/messages/@original", "interactions/1/token/callback"):
            assert (await session.post(f"{address}/{hook}")).status == 200
        assert not waiting.done()
        pace.budget.allow(1)
        assert (await waiting).status == 200
        again = asyncio.ensure_future(session.patch(message, headers=BOT))
        await asyncio.wait([again], timeout=0.1)
        assert not again.done()
        again.cancel()
        await asyncio.wait([again])


async def test_a_request_that_fails_or_is_cut_short_gives_its_place_back(address: str) -> None:
    pace = EditPace(1)
    pace.budget = Budget(1, second_s=0.0)
    async with aiohttp.ClientSession(trace_configs=[pace.trace]) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get("http://127.0.0.1:1/api/v10", headers=BOT)
        cut = asyncio.ensure_future(session.get(address, headers=BOT))
        await asyncio.sleep(0)
        cut.cancel()
        await asyncio.wait([cut])
        assert (await session.get(address, headers=BOT)).status == 200
