"""Pictures in a bucket: nothing is lost while it is away, and nothing is painted twice."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

pytest.importorskip("obstore", reason="the extra “s3” is not installed")

from bot.delivery import board
from bot.rehearsal import Discord
from bot.services import generation
from bot.storage import blobs
from tests.standins.s3 import KEYS, StandInS3
from tests.whole.conftest import Start, Time
from tests.whole.play import draw, painted, result


@pytest_asyncio.fixture
async def s3(clock: Time, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandInS3]:
    monkeypatch.setattr(generation, "AWAY_S", 0.05)
    monkeypatch.setattr(board, "RETRY_S", (0.05, 0.1))
    async with StandInS3(clock) as server:
        environ["EASEL_BLOBS"] = server.address
        environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"] = KEYS
        yield server


async def test_what_is_painted_while_the_bucket_is_away_comes_once_it_is_back(
    discord: Discord, start: Start, s3: StandInS3
) -> None:
    async with start():
        await draw(discord)
        [key] = s3.objects
        s3.ails = (403, "AccessDenied")
        s3.arrived.clear()
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a hen")
        await s3.arrived.wait()
        s3.ails = None
        assert painted(await result(act))
        assert len(s3.objects.keys() - {key}) == 1


async def test_a_picture_that_cannot_be_fetched_just_now_is_delivered_later_and_not_painted_again(
    discord: Discord, start: Start, s3: StandInS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "FRESH_BYTES", 0)
    async with start():
        s3.denied = frozenset({"GET"})
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a hen")
        await discord.until(lambda: sum(call.startswith("GET /pictures/easel/") for call in s3.calls) > 1, 30)
        s3.denied = frozenset()
        assert painted(await result(act))
        puts = [call for call in s3.calls if call.startswith("PUT") and ".check-" not in call]
        assert len(puts) == 1


async def test_the_bucket_is_swept_of_what_is_past_its_days(
    discord: Discord, start: Start, s3: StandInS3, clock: Time
) -> None:
    async with start():
        await draw(discord)
        assert len(s3.objects) == 1
    clock.ahead_s += 8 * 86_400
    async with start():
        await discord.until(lambda: not s3.objects)
