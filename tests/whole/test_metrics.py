"""What whoever runs the bot sees of it from outside, over the wire."""

import asyncio
import json
import re
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot import __version__
from bot.ops import exporting
from bot.ops.server import AddressTakenError
from bot.rehearsal import Discord
from bot.settings_loading import load
from tests.whole.conftest import Start
from tests.whole.play import draw, private

needs_extra = pytest.mark.skipif(
    not exporting.has_extra("prometheus_client"), reason="the extra “metrics” is not installed"
)
PROMPT = "zinnoberfuchs"


@pytest.fixture
def address() -> str:
    """A free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


async def get(address: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as answer:
        return answer.status, await answer.text()


async def answered(address: str, path: str) -> tuple[int, Any]:
    """Return the answer of a bot that may still be on its way."""
    while True:
        try:
            status, text = await get(address, path)
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.02)
        else:
            return status, json.loads(text)


async def scraped(address: str) -> dict[str, float]:
    """Return every sample of a scrape by its name and labels."""
    status, text = await get(address, "/metrics")
    assert status == 200
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def until(address: str, is_so: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Scrape until it is so."""
    async with asyncio.timeout(20):
        while True:
            if is_so(samples := await scraped(address)):
                return samples
            await asyncio.sleep(0.05)


async def readiness(address: str, status: int) -> dict[str, Any]:
    """Ask until it answers with ``status``, and return what it tells."""
    while True:
        found, told = await answered(address, "/readyz")
        if found == status:
            return dict(told)
        await asyncio.sleep(0.02)


@needs_extra
async def test_a_job_is_counted_from_its_order_to_its_message(
    discord: Discord, start: Start, address: str
) -> None:
    async with start(EASEL_METRICS=address):
        before = await until(address, lambda s: s['easel_ready{check="discord"}'] == 1)
        await draw(discord, prompt=PROMPT)
        # The rows may have been read a moment before the count.
        told = {'easel_jobs_total{outcome="delivered"}': 1, "easel_jobs_untold": 0}
        after = await until(address, lambda s: all(s[name] == value for name, value in told.items()))
        # The loop is probed now and then, and all of this may have taken less than that.
        lag = "easel_event_loop_lag_seconds_count"
        await until(address, lambda s: s[lag] > before[lag])
    assert before['easel_jobs_total{outcome="delivered"}'] == 0
    assert before[f'easel_build_info{{version="{__version__}"}}'] == 1
    assert after['easel_job_wait_seconds_count{lane="default"}'] == 1
    assert after['easel_job_paint_seconds_count{backend="sketch"}'] == 1
    assert after['easel_queue_depth{lane="default"}'] == after["easel_jobs_untold"] == 0
    assert after['easel_backend_state{backend="sketch",state="up"}'] == 1
    assert after['easel_backend_state{backend="sketch",state="away"}'] == 0
    assert after['easel_ready{check="database"}'] == after['easel_ready{check="running"}'] == 1
    assert after['easel_discord_requests_total{route="interaction",status="200"}'] > 0
    assert after["process_resident_memory_bytes"] > 0


@needs_extra
async def test_the_line_is_seen_by_lane_with_the_age_of_its_oldest(
    discord: Discord, start: Start, address: str
) -> None:
    async with start(EASEL_METRICS=address, EASEL_BACKENDS="sketch=30", EASEL_DRAIN_S="0"):
        for _ in range(3):
            await discord.as_(discord.world.ada).slash("draw", prompt=PROMPT)
        waiting = await until(address, lambda s: s.get('easel_queue_depth{lane="default"}') == 2)
        assert waiting['easel_jobs_running{backend="sketch"}'] == 1
        assert await private(discord, await discord.as_(discord.world.moderator).slash("queue pause"))
        paused = await until(address, lambda s: s.get('easel_queue_depth{lane="(paused)"}') == 2)
        assert paused['easel_queue_depth{lane="default"}'] == 0
        oldest = 'easel_queue_oldest_seconds{lane="(paused)"}'
        await until(address, lambda s: s[oldest] > waiting['easel_queue_oldest_seconds{lane="default"}'])


@needs_extra
async def test_rate_limits_refusals_and_deliveries_that_take_two_tries_are_counted(
    discord: Discord, start: Start, address: str
) -> None:
    async with start(EASEL_METRICS=address):
        assert await private(discord, await discord.as_(discord.world.ada).slash("draw", prompt=PROMPT, model="x"))
        discord.faults.cut("PATCH", r"/webhooks/", times=1)
        await draw(discord, prompt=PROMPT)
        after = await until(address, lambda s: s['easel_jobs_total{outcome="delivered"}'] == 1)
    assert sum(value for name, value in after.items() if name.startswith("easel_refusals_total")) == 1
    assert after["easel_deliveries_retried_total"] == 1
    assert after["easel_deliveries_failed_total"] == 0
    assert after['easel_discord_requests_total{route="interaction",status="none"}'] == 1
    assert after['easel_discord_requests_total{route="interaction",status="429"}'] == 0


@needs_extra
async def test_no_label_names_a_person_a_server_or_what_they_typed(
    discord: Discord, start: Start, address: str
) -> None:
    async with start(EASEL_METRICS=address):
        await draw(discord, prompt=PROMPT, negative_prompt=PROMPT)
        await until(address, lambda s: s['easel_jobs_total{outcome="delivered"}'] == 1)
        _, text = await get(address, "/metrics")
    assert PROMPT not in text
    assert discord.token not in text
    assert re.findall(r"\d{17,}(?![\d.]*e)", re.sub(r"(?m) \S+$", "", text)) == []


async def test_it_is_alive_at_once_ready_once_discord_is_there_and_not_ready_while_it_stops(
    discord: Discord, start: Start, address: str
) -> None:
    discord.faults.delay("GET", r"/gateway/bot", 1.0)
    online, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with start(EASEL_METRICS=address, EASEL_BACKENDS="sketch=30", EASEL_DRAIN_S="1"):
            online.set()
            await over.wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        life = tasks.create_task(live())
        assert await answered(address, "/healthz") == (200, {"easel": __version__})
        status, told = await answered(address, "/readyz")
        assert (status, told["ready"]) == (503, False)
        assert told["checks"]["discord"] == {"ok": False, "reason": "not ready"}
        assert told["checks"]["database"] == told["checks"]["running"] == {"ok": True, "reason": None}
        await online.wait()
        assert (await readiness(address, 200))["ready"] is True
        act = await discord.as_(discord.world.ada).slash("draw", prompt=PROMPT)
        await act.until(lambda m: "Painting" in m.text)
        over.set()
        told = await readiness(address, 503)
        assert told["checks"]["running"] == {"ok": False, "reason": "stopping"}
        assert (await answered(address, "/healthz"))[0] == 200
        await life


async def test_a_bot_without_the_extra_tells_its_health_and_names_the_cure(
    start: Start, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "has_extra", lambda _: False)
    async with start(EASEL_METRICS=address):
        status, text = await get(address, "/metrics")
        assert (status, "pip install '.[metrics]'" in text) == (501, True)
        assert (await get(address, "/healthz"))[0] == 200


async def test_a_bot_without_the_setting_listens_nowhere(start: Start, address: str) -> None:
    async with start():
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(address, "/healthz")


async def test_a_bot_whose_port_is_taken_does_not_start_and_says_so(
    start: Start, environ: dict[str, str], address: str
) -> None:
    settings = load({**environ, "EASEL_METRICS": address}, None)
    assert settings.metrics is not None
    taken = pytest.raises(AddressTakenError, match=r"EASEL_METRICS: .*Choose another port")
    with socket.create_server(settings.metrics), taken:
        async with start(EASEL_METRICS=address):
            pass
    async with start(EASEL_METRICS=address):
        assert (await get(address, "/healthz"))[0] == 200
