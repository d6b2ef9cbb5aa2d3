"""What nobody has looked at yet is shown to nobody: not half painted, not small, not from elsewhere."""

from collections.abc import Mapping, Sequence

import pytest

from bot.domain.codes import code
from bot.rehearsal import Attachment, Discord, Message
from bot.rehearsal.options import Value
from bot.rehearsal.world import Channel
from tests.standins.webui import StandInWebUI
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, eventually, painted, private, result
from tests.whole.process import running
from tests.whole.reviewing import card, cards, is_held, noted, order, press
from tests.whole.test_work import known, webui

FROM_ELSEWHERE = "it was painted elsewhere, and here a moderator looks"


def ever_shown(message: Message) -> set[str]:
    """Return the names of all files that a message has had."""
    versions = [*(version.attachments for version in message.history), message.attachments]
    return {file.filename for files in versions for file in files}


async def test_what_will_be_held_is_not_shown_while_it_is_painted(
    discord: Discord, start: Start, mods: Channel
) -> None:
    ada = discord.as_(discord.world.ada)
    two: dict[str, Value] = {"prompt": "a fox", "across": "steps", "across_values": "4, 5"}
    async with start(EASEL_BACKENDS="sketch=0.7"):
        assert "preview.webp" in ever_shown(await draw(discord, steps=5))
        await ask(discord, discord.world.admin, "review channel", channel=mods)
        for act in (await ada.slash("draw", prompt="a fox", steps=5), await ada.slash("explore", **two)):
            await act.until(is_held, 30)
            assert not ever_shown(act.message)


async def test_a_picture_from_elsewhere_is_shown_in_private_where_moderators_look_first(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    ada, direct = discord.as_(world.ada), discord.as_(world.ada, world.direct_channel(world.ada))
    async with start():
        await (await direct.slash("draw", prompt="an owl", count=2)).until(painted)
        await eventually(lambda: ada.autocomplete("show", "id", code(1)))
        assert (await (await ada.slash("show", id=code(1))).until(painted)).private_to is None
        await ask(discord, world.admin, "review channel", channel=mods)
        await order(discord)
        await press(discord, world.moderator, await card(discord, mods), "Approve")
        await eventually(lambda: ada.autocomplete("show", "id", code(2)))
        shown = await (await ada.slash("show", id=code(1))).until(painted)
        taken = await (await ada.choose(shown, "Take one", "Send 2")).until(painted)
        for message in (shown, taken):
            assert message.private_to == world.ada.id
            assert FROM_ELSEWHERE in message.text
        own = await (await ada.slash("show", id=code(2))).until(painted)
        assert own.private_to is None, "its moderators have seen it"
        assert FROM_ELSEWHERE not in own.text
        assert (await (await direct.slash("show", id=code(2))).until(painted)).private_to is None


async def test_a_description_does_not_show_what_nobody_looked_at(
    discord: Discord, start: Start, mods: Channel
) -> None:
    ada = discord.as_(discord.world.ada)
    photo = Attachment("a.png", pictures.png(64, 48))
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        described = await (await ada.slash("describe", image=photo)).until(
            lambda m: "Draw this" in str(m.controls)
        )
        assert ever_shown(described) == {"picture.webp"}
        await ask(discord, discord.world.admin, "review channel", channel=mods)
        described = await (await ada.slash("describe", image=photo)).until(
            lambda m: "Draw this" in str(m.controls)
        )
        assert not ever_shown(described)


@pytest.mark.timeout(120)
async def test_killed_after_everything_was_deleted_the_card_still_loses_the_picture(
    discord: Discord, environ: dict[str, str], mods: Channel
) -> None:
    world = discord.world
    async with running(discord, environ) as first:
        await ask(discord, world.admin, "review channel", channel=mods)
        act = await order(discord)
        seen = await card(discord, mods)
        await noted(environ, seen)
        discord.faults.delay("PATCH", rf"/channels/{mods.id}/messages", 60, times=5)
        asked = await discord.as_(world.ada).slash("privacy delete")
        await asked.until(lambda m: "not done yet" in m.text)
        await discord.as_(world.ada).press(asked.message, "Delete all of it")
        await act.until(lambda m: "Cancelled" in m.text, 20)
        await first.kill()
    discord.faults.clear()
    assert seen.attachments
    async with running(discord, environ):
        await discord.until(lambda: not seen.attachments, 20)
        assert "Cancelled: nothing to decide" in seen.text
        assert "a fox" not in seen.text
        assert str(world.ada.id) not in seen.text
        assert not seen.controls
    assert len(cards(mods)) == 1


class Prude:
    """A classifier that finds something in every picture, by labels of its own."""

    def __init__(self) -> None:
        self.label = "NSFW"

    async def scores(self, seen: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        return [{"neutral": 0.0, self.label: 1.0} for _ in seen]

    async def close(self) -> None:
        """Nothing to free."""


class TestClassifier:
    @pytest.fixture
    def classifier(self) -> Prude:
        return Prude()

    async def test_what_it_did_not_look_at_in_direct_messages_is_shown_in_no_channel(
        self, discord: Discord, start: Start
    ) -> None:
        world = discord.world
        ada, direct = discord.as_(world.ada), discord.as_(world.ada, world.direct_channel(world.ada))
        async with start(EASEL_ADULT_DMS="on"):
            await result(await direct.slash("draw", prompt="an owl"))
            await eventually(lambda: ada.autocomplete("show", "id", code(1)))
            assert "age-restricted channels" in await private(discord, await ada.slash("show", id=code(1)))
            await (await direct.slash("show", id=code(1))).until(painted)

    async def test_one_that_knows_none_of_the_labels_lets_nothing_through(
        self, discord: Discord, start: Start, classifier: Prude
    ) -> None:
        classifier.label = "lewd"
        async with start(EASEL_BACKENDS="sketch=0.7"):
            act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=5)
            await act.until(lambda m: "that does not work right now" in m.text, 20)
            assert not ever_shown(act.message)
