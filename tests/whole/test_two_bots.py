"""Two bots that were started by mistake with the same servers."""

from pathlib import Path

import pytest

from bot.domain.errors import TakenError
from bot.rehearsal import Discord
from tests.engines import url_of
from tests.whole.conftest import Start
from tests.whole.play import result


async def test_the_second_one_is_told_to_stop_before_it_is_online_and_the_first_goes_on(
    discord: Discord, start: Start, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = url_of("postgresql", tmp_path, request)
    async with start(DATABASE_URL=url):
        online = set(discord.gateway.sessions)
        with pytest.raises(TakenError, match=r"has the shards 0-0/1: both would answer the same servers"):
            async with start(DATABASE_URL=url, EASEL_BACKENDS="none", EASEL_DATA_DIR=str(tmp_path / "other")):
                pass
        assert set(discord.gateway.sessions) == online
        await result(await discord.as_(discord.world.ada).slash("draw", prompt="a fox"))
