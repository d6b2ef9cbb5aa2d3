"""The review channel when things go wrong: it is gone, files are lost, the bot is killed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.domain.errors import UnreachableError
from bot.rehearsal import Discord
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Channel, Overwrite
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, draw, eventually, painted, result
from tests.whole.process import running
from tests.whole.reviewing import DAY_S, card, cards, is_held, noted, order, press, reviewing


async def test_a_review_channel_that_is_gone_or_closed_shows_nothing_and_is_told(
    discord: Discord, start: Start, mods: Channel, environ: dict[str, str]
) -> None:
    world = discord.world
    async with reviewing(discord, start, mods):
        act = await order(discord)
        await noted(environ, await card(discord, mods))
        world.delete_channel(mods)

        async def is_told() -> bool:
            return "could not post" in await ask(discord, world.moderator, "review show")

        await eventually(is_told)
        assert is_held(act.message)
        other = world.add_channel(world.guild, "mods2")
        world.set_overwrite(other, Overwrite(world.bot.id, deny=int(Permission.SEND_MESSAGES), for_user=True))
        assert "Send Messages" in await ask(discord, world.admin, "review channel", channel=other)
        world.set_overwrite(other, Overwrite(world.bot.id, for_user=True))
        assert "Everybody can see" in await ask(discord, world.admin, "review channel", channel=other)
        seen = await card(discord, other)
        await noted(environ, seen)
        await discord.as_(world.moderator, other).delete(seen)
        again = await card(discord, other)
        await ask(discord, world.admin, "review off")
        await press(discord, world.moderator, again, "Approve")
        await result(act)
        await draw(discord)


async def test_held_pictures_whose_files_are_gone_are_painted_again_for_their_card(
    discord: Discord, start: Start, mods: Channel, environ: dict[str, str]
) -> None:
    world = discord.world
    closed = Overwrite(world.bot.id, deny=int(Permission.SEND_MESSAGES), for_user=True)
    async with reviewing(discord, start, mods):
        world.set_overwrite(mods, closed)
        act = await order(discord)

        async def is_told() -> bool:
            return "could not post" in await ask(discord, world.moderator, "review show")

        await eventually(is_told)
        for file in (Path(environ["EASEL_DATA_DIR"]) / "blobs").rglob("*"):
            if file.is_file():
                file.unlink()
        world.set_overwrite(mods, Overwrite(world.bot.id, for_user=True))
        await ask(discord, world.admin, "review channel", channel=mods)
        await press(discord, world.moderator, await card(discord, mods), "Approve")
        await result(act)
    assert len(cards(mods)) == 1


async def test_what_nobody_decides_on_ends_in_words_and_takes_no_quota(
    discord: Discord, start: Start, mods: Channel, clock: Time
) -> None:
    async with reviewing(discord, start, mods):
        act = await order(discord)
        seen = await card(discord, mods)
    clock.ahead_s += 7 * DAY_S + 60
    async with start():
        await act.until(lambda m: "within 7 days" in m.text)
        await discord.until(lambda: not seen.attachments)
        assert "Painted for you here: 0 s" in await ask(discord, discord.world.ada, "quota show")


@pytest.mark.timeout(120)
async def test_killed_while_it_is_held_and_right_after_the_approval_all_appear_once(
    discord: Discord, environ: dict[str, str], mods: Channel
) -> None:
    world = discord.world
    async with running(discord, environ) as first:
        await ask(discord, world.admin, "review channel", channel=mods)
        discord.faults.cut("POST", rf"/channels/{mods.id}/messages", times=5, after=True)
        act = await order(discord)
        seen = await card(discord, mods)
        await first.kill()
    discord.faults.clear()
    fault = discord.faults.delay("PATCH", rf"/webhooks/.*/{act.message.id}", 60, times=50)
    async with running(discord, environ) as second:
        await press(discord, world.moderator, seen, "Approve")
        await discord.until(lambda: fault.done, 20)
        await second.kill()
    discord.faults.clear()
    assert not painted(act.message)
    async with running(discord, environ) as third:
        await act.until(painted, 30)
        await discord.until(lambda: "Approved" in seen.text, 20)
        assert await third.stop() == 0
    shown = [*(version.attachments for version in act.message.history), act.message.attachments]
    assert len({file.id for files in shown for file in files}) == 1
    assert len(cards(mods)) == 1


class Sceptic:
    """A classifier that finds something in every picture, unless it is ``out``."""

    def __init__(self) -> None:
        self.out = False
        self.score = 0.93

    async def scores(self, pictures: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        if self.out:
            raise UnreachableError("The classifier ended.")
        return [{"normal": 1 - self.score, "NSFW": self.score} for _ in pictures]

    async def close(self) -> None:
        """Nothing to free."""


class TestClassifier:
    @pytest.fixture
    def classifier(self) -> Sceptic:
        return Sceptic()

    async def test_a_flagged_picture_is_held_or_withheld_and_shown_where_it_may_be(
        self, discord: Discord, start: Start, mods: Channel, classifier: Sceptic
    ) -> None:
        world = discord.world
        ada = discord.as_(world.ada)
        async with start():
            act = await ada.slash("draw", prompt="a fox")
            await act.until(lambda m: "seems to be for adults only" in m.text)
            assert not act.message.controls
            assert not act.message.attachments
            classifier.out = True
            act = await ada.slash("draw", prompt="a fox")
            await act.until(lambda m: "that does not work right now" in m.text)
            classifier.out, classifier.score = False, 0.5
            await draw(discord)
            classifier.score = 0.93
            await ask(discord, world.admin, "review channel", channel=mods, hold="flagged")
            act = await order(discord)

            async def is_told() -> bool:
                return "for adults wait" in await ask(discord, world.moderator, "review show")

            await eventually(is_told)
            mods.nsfw = True
            world.update(mods)
            await ask(discord, world.admin, "review channel", channel=mods)
            seen = await card(discord, mods)
            assert "NSFW, 93 %" in seen.text
            await press(discord, world.moderator, seen, "Approve")
            await result(act)
            classifier.out = True
            await order(discord)
            assert "could not look at it" in (await card(discord, mods, 2)).text
            night = discord.as_(world.ada, world.night_channel)
            await (await night.slash("draw", prompt="a fox")).until(is_held)
            await ask(discord, world.admin, "adult set", where="restricted")
            await result(await night.slash("draw", prompt="a fox"))
