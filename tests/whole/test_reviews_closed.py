"""The cards of the review channel when it is closed, and pictures that are lost before they were looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.domain.ports import Classifier
from bot.rehearsal import Discord
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Channel, Overwrite
from tests.whole.conftest import Start
from tests.whole.exploring import explored, results_of
from tests.whole.play import ask, eventually, painted, private, result
from tests.whole.reviewing import card, cards, is_held, noted, order, press, reviewing


async def test_a_card_that_could_not_be_emptied_is_emptied_once_it_can_be(
    discord: Discord, start: Start, mods: Channel, environ: dict[str, str]
) -> None:
    world = discord.world
    async with reviewing(discord, start, mods):
        act = await order(discord)
        seen = await card(discord, mods)
        await noted(environ, seen)
        unseeing = Overwrite(world.bot.id, deny=int(Permission.VIEW_CHANNEL), for_user=True)
        world.set_overwrite(mods, unseeing)
        await discord.as_(world.ada).press(act.message, "Cancel")
        await act.until(lambda m: "Cancelled" in m.text)
        await discord.until(lambda: refused(discord, "PATCH", mods) == 1)
        assert seen.attachments
        world.set_overwrite(mods, Overwrite(world.bot.id, for_user=True))
    async with start():
        await discord.until(lambda: not seen.attachments and not seen.controls)
        assert "a fox" not in seen.text


async def test_a_withdrawn_card_that_takes_no_more_edits_is_deleted(
    discord: Discord, start: Start, mods: Channel, environ: dict[str, str]
) -> None:
    async with reviewing(discord, start, mods):
        act = await order(discord)
        await noted(environ, await card(discord, mods))
        discord.faults.answer("PATCH", f"/channels/{mods.id}/messages", 400, code=30046)
        await discord.as_(discord.world.ada).press(act.message, "Cancel")
        await discord.until(lambda: not cards(mods))


async def test_a_closed_review_channel_is_tried_once_and_holds_up_no_other_server(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    second = world.add_guild("Second", world.carla)
    studio, others = world.add_channel(second, "studio2"), world.add_channel(second, "mods2")
    async with reviewing(discord, start, mods):
        await private(discord, await discord.as_(world.carla, studio).slash("review channel", channel=others))
        closed = Overwrite(world.bot.id, deny=int(Permission.SEND_MESSAGES), for_user=True)
        world.set_overwrite(mods, closed)
        for seed in range(3):
            await order(discord, seed=seed)
        act = await discord.as_(world.carla, studio).slash("draw", prompt="an owl")
        await act.until(is_held)
        await card(discord, others)
        assert refused(discord, "POST", mods) == 1
        assert "could not post" in await ask(discord, world.moderator, "review show")
        world.set_overwrite(mods, Overwrite(world.bot.id, for_user=True))
        await ask(discord, world.admin, "review channel", channel=mods)
        await card(discord, mods, 3)

        async def is_well() -> bool:
            return "could not post" not in await ask(discord, world.moderator, "review show")

        await eventually(is_well)


async def test_who_decides_while_it_is_painted_again_is_asked_to_wait(
    discord: Discord, start: Start, mods: Channel, environ: dict[str, str]
) -> None:
    world = discord.world
    environ["EASEL_BACKENDS"] = "sketch=0.2"
    async with reviewing(discord, start, mods):
        # The bot does not learn that its card arrived.
        discord.faults.answer("POST", f"/channels/{mods.id}/messages", 403, code=50001, after=True)
        act = await order(discord)
        seen = await card(discord, mods)
        for file in files(environ):
            file.unlink()
        await ask(discord, world.admin, "review channel", channel=mods)
        await act.until(lambda m: not is_held(m))
        early = await press(discord, world.moderator, seen, "Approve")
        assert "being painted again" in await private(discord, early)
        await act.until(is_held)
        await press(discord, world.moderator, seen, "Approve")
        await result(act)


def files(environ: Mapping[str, str]) -> list[Path]:
    """Return where pictures are kept."""
    return [file for file in (Path(environ["EASEL_DATA_DIR"]) / "blobs").rglob("*") if file.is_file()]


def refused(discord: Discord, method: str, channel: Channel) -> int:
    """Return how often Discord refused to take or change a message there."""
    path = f"/channels/{channel.id}/messages"
    return sum(each.method == method and path in each.path and each.status >= 400 for each in discord.requests)


class Loser:
    """A classifier that finds nothing; ``looks`` are counted, and at the first one a file gets lost."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.looks = 0

    async def scores(self, pictures: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        self.looks += 1
        if self.looks == 1:
            files(self.environ)[0].unlink()
            raise ValueError(self.looks)
        return [{"normal": 1.0, "NSFW": 0.0} for _ in pictures]

    async def close(self) -> None:
        """Nothing to free."""


class TestClassifier:
    @pytest.fixture
    def classifier(self, environ: dict[str, str]) -> Classifier:
        return Loser(environ)

    async def test_a_grid_that_lost_a_picture_before_it_was_looked_at_is_painted_again(
        self, discord: Discord, start: Start, classifier: Loser
    ) -> None:
        async with start():
            act = await explored(discord)
            message = await act.until(painted, 20)
        assert results_of(message) == 1
        assert classifier.looks == 2
