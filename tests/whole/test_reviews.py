"""The review channel: pictures are held until a moderator has looked at them, whatever happens meanwhile."""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bot.domain.codes import code as code_of
from bot.domain.errors import UnreachableError
from bot.rehearsal import Discord
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Channel, Message, Overwrite, Role, User
from tests.whole.conftest import Start, Time
from tests.whole.exploring import GRID
from tests.whole.play import ask, draw, eventually, painted, private, raw_command, raw_press, result, told
from tests.whole.process import running

DAY_S = 86400
HELD = "A moderator looks at it first"
DECLINED = "Moderators of this server declined this picture."


def is_held(message: Message) -> bool:
    return HELD in message.text


@pytest.fixture
def mods(discord: Discord) -> Channel:
    """A channel that moderators alone can see; who manages the server is one of them."""
    world = discord.world
    [moderator] = world.guild.members[world.moderator.id].roles
    [admin] = world.guild.members[world.admin.id].roles
    [bot] = world.guild.members[world.bot.id].roles
    both = Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES
    world.set_permissions(world.guild, world.guild.roles[admin], int(both))
    open_to = [Overwrite(role, allow=int(Permission.VIEW_CHANNEL)) for role in (moderator, admin, bot)]
    closed = Overwrite(world.guild.id, deny=int(Permission.VIEW_CHANNEL))
    return world.add_channel(world.guild, "mods", overwrites=[closed, *open_to])


async def order(discord: Discord, who: User | None = None, **values: object) -> Interaction:
    """Have somebody (Ada) order a picture and wait until it is held."""
    act = await discord.as_(who or discord.world.ada).slash("draw", prompt="a fox", **values)  # type: ignore[arg-type]
    await act.until(is_held)
    return act


async def card(discord: Discord, mods: Channel, number: int = 1) -> Message:
    """Wait for the review channel's card ``number`` and return it."""
    await discord.until(lambda: len(cards(mods)) >= number)
    return cards(mods)[number - 1]


def cards(mods: Channel) -> list[Message]:
    """Return what everybody sees who sees that channel."""
    return [message for message in mods.messages if not message.ephemeral]


@asynccontextmanager
async def reviewing(discord: Discord, start: Start, mods: Channel, **values: object) -> AsyncIterator[None]:
    """Start the bot with a review channel that holds everybody's pictures, or as ``values`` say."""
    async with start():
        shown = await ask(discord, discord.world.admin, "review channel", channel=mods, **values)  # type: ignore[arg-type]
        assert f"<#{mods.id}>" in shown
        yield


async def noted(environ: Mapping[str, str], message: Message) -> None:
    """Wait until the bot knows by which message it has told moderators."""

    async def is_known() -> bool:
        with closing(sqlite3.connect(Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3", timeout=10)) as database:
            return (message.id,) in database.execute("SELECT message_id FROM reviews").fetchall()

    await eventually(is_known)


async def press(discord: Discord, who: User, message: Message, label: str) -> Interaction:
    return await discord.as_(who, message.channel).press(message, label)


async def test_a_held_picture_is_shown_once_it_is_approved_and_cannot_be_had_before(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with reviewing(discord, start, mods):
        act = await order(discord, seed=7)
        assert [control["label"] for control in act.message.controls] == ["Cancel"]
        assert not act.message.attachments
        seen = await card(discord, mods)
        assert all(file.spoiler for file in seen.attachments)
        assert len(seen.attachments) == 1
        for part in (world.ada.mention, f"<#{world.channel.id}>", "a fox", "seed 7", "128×128"):
            assert part in seen.text
        code = code_of(_id(seen))
        assert code in seen.text
        for refused in (
            await ada.slash("show", id=code),
            await ada.slash("draw", prompt="an owl", more=f"like {code}"),
            await ada.slash("describe"),
            await ada.menu("Remix", act.message),
            await raw_press(discord, world.ada, f"easel:dm:{_id(seen)}", act.message, ()),
            await raw_press(discord, world.bruno, f"easel:reroll:{_id(seen)}", act.message, ()),
        ):
            assert "A moderator looks at this picture first." in await private(discord, refused)
        assert "1 picture waits" in await ask(discord, world.moderator, "review show")
        assert code not in await ask(discord, world.ada, "history")
        assert not act.message.reactions
        await press(discord, world.moderator, seen, "Approve")
        await result(act)
        await discord.until(lambda: "Approved" in seen.text and not seen.controls)
        assert world.moderator.mention in seen.text
        assert len(seen.attachments) == 1
        late = await raw_press(discord, world.admin, f"easel-review:deny:{_id(seen)}", seen)
        assert "decided already" in await private(discord, late)
        assert "pictures wait" not in await ask(discord, world.moderator, "review show")
    assert painted(act.message)
    assert len(cards(mods)) == 1


def _id(seen: Message) -> int:
    [file] = seen.attachments
    return int(file.filename.split("-")[1])


async def test_what_is_declined_is_nowhere_and_three_times_is_a_block(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with reviewing(discord, start, mods):
        acts = [await order(discord, seed=n) for n in range(3)]
        await card(discord, mods, 3)
        first = cards(mods)[0]
        code = code_of(_id(first))
        told = await press(discord, world.moderator, first, "Deny")
        assert "1 strike in 30 days" in await private(discord, told)
        await acts[0].until(lambda m: DECLINED in m.text)
        assert not acts[0].message.controls
        assert not acts[0].message.attachments
        await discord.until(lambda: "Declined" in first.text and not first.controls)
        assert len(first.attachments) == 1, "moderators keep it"
        for refused in (
            await ada.slash("show", id=code),
            await ada.slash("draw", prompt="an owl", more=f"like {code}"),
            await ada.menu("Remix", acts[0].message),
            await ada.menu("Show settings", acts[0].message),
            await raw_press(discord, world.ada, f"easel:again:{_id(first)}", acts[0].message, ()),
        ):
            assert DECLINED in await private(discord, refused)
        assert code not in await ask(discord, world.ada, "history")
        await private(discord, await press(discord, world.moderator, cards(mods)[1], "Deny"))
        last = await private(discord, await press(discord, world.moderator, cards(mods)[2], "Deny"))
        assert "3 strikes" in last
        assert "blocked until <t:" in last
        refusal = await ask(discord, world.ada, "draw", prompt="a fox")
        assert "blocked you from painting here, until <t:" in refusal
        assert "blocked you" in await private(discord, await ada.slash("explore", **GRID))
    async with start():
        assert "blocked you" in await ask(discord, world.ada, "draw", prompt="a fox")
        shown = await ask(discord, world.moderator, "review strikes", member=world.ada)
        assert shown.count("declined by") == 3
        assert "blocked until" in shown
        assert "not blocked" in await ask(discord, world.moderator, "review unblock", member=world.ada)
        assert "No picture of theirs" in await ask(discord, world.moderator, "review pardon", member=world.ada)
        assert "have no strikes" in await ask(discord, world.moderator, "review pardon", member=world.ada)
        assert "They are not blocked here" in await ask(
            discord, world.moderator, "review unblock", member=world.ada
        )
        assert "yourself" in await ask(discord, world.moderator, "review block", member=world.moderator)
        asked = await raw_command(discord, world.ada, "review block", member=str(world.ada.id))
        assert "Manage Messages" in await private(discord, asked)
        await order(discord)


async def test_nobody_approves_their_own_and_of_two_moderators_one_decides(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    async with reviewing(discord, start, mods, strikes_to_block=0):
        act = await order(discord, world.moderator)
        seen = await card(discord, mods)
        own = await press(discord, world.moderator, seen, "Approve")
        assert "your own picture" in await private(discord, own)
        world.set_overwrite(mods, Overwrite(world.ada.id, allow=int(Permission.VIEW_CHANNEL), for_user=True))
        assert "Manage Messages" in await private(discord, await press(discord, world.ada, seen, "Approve"))
        assert is_held(act.message)
        await press(discord, world.admin, seen, "Approve")
        await result(act)
        other = await order(discord, world.bruno)
        seen = await card(discord, mods, 2)
        told = await private(discord, await press(discord, world.admin, seen, "Deny and block"))
        assert "blocked until" in told
        late = await raw_press(discord, world.moderator, f"easel-review:approve:{_id(seen)}", seen)
        assert "decided already" in await private(discord, late)
        elsewhere = await result(await discord.as_(world.carla, world.other_channel).slash("draw", prompt="a fox"))
        forged = await raw_press(discord, world.owner, f"easel-review:approve:{_id(seen)}", elsewhere)
        assert "no longer kept" in await private(discord, forged)
        await other.until(lambda m: DECLINED in m.text)
        assert "blocked you" in await ask(discord, world.bruno, "draw", prompt="a fox")


async def test_what_is_cancelled_or_deleted_while_it_is_held_leaves_nothing_with_moderators(
    discord: Discord, start: Start, mods: Channel
) -> None:
    ada = discord.as_(discord.world.ada)
    async with reviewing(discord, start, mods):
        act = await order(discord)
        seen = await card(discord, mods)
        await ada.press(act.message, "Cancel")
        await act.until(lambda m: "Cancelled" in m.text)
        await discord.until(lambda: "nothing to decide" in seen.text and not seen.controls)
        assert not seen.attachments
        assert "a fox" not in seen.text
        late = await raw_press(discord, discord.world.moderator, "easel-review:approve:1", seen)
        assert "nothing to decide any more" in await private(discord, late)
        other = await order(discord)
        again = await card(discord, mods, 2)
        await ada.menu("Cancel or delete", other.message)
        await other.until(lambda m: "Cancelled" in m.text)
        await discord.until(lambda: not again.attachments)


async def test_who_has_everything_deleted_leaves_no_picture_with_moderators_and_stays_blocked(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with reviewing(discord, start, mods):
        act = await order(discord)
        seen = await card(discord, mods)
        await ada.react(act.message, "🔁")
        assert "A moderator looks at this picture first." in await told(discord, world.ada, "looks at this")
        assert "not blocked" not in await ask(discord, world.moderator, "review block", member=world.ada, hours=2)
        asked = await ada.slash("privacy delete")
        await asked.until(lambda m: "stays, with your id" in m.text)
        await ada.press(asked.message, "Delete all of it")
        await act.until(lambda m: "Cancelled" in m.text)
        await discord.until(lambda: not seen.attachments and not seen.controls)
        assert "a fox" not in seen.text
        assert "blocked you" in await ask(discord, world.ada, "draw", prompt="a fox")
        await (await ada.slash("privacy show")).until(lambda m: "has blocked you" in m.text)


async def test_a_grid_is_looked_at_as_a_whole(discord: Discord, start: Start, mods: Channel) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with reviewing(discord, start, mods):
        acts = [await ada.slash("explore", **GRID) for _ in range(3)]
        for act in acts:
            await act.until(is_held)
        await card(discord, mods, 3)
        await press(discord, world.moderator, cards(mods)[0], "Approve")
        await acts[0].until(painted)
        await private(discord, await press(discord, world.moderator, cards(mods)[1], "Deny"))
        await acts[1].until(lambda m: DECLINED in m.text)
        assert not acts[1].message.controls
        await ada.press(acts[2].message, "Cancel")
        await acts[2].until(lambda m: "Cancelled" in m.text)
        await discord.until(lambda: not cards(mods)[2].attachments)
    assert all(len(message.attachments) == 1 for message in cards(mods)[:2])


async def test_only_whose_pictures_are_held_wait_and_private_ones_too_but_not_in_direct_messages(
    discord: Discord, start: Start, mods: Channel
) -> None:
    world = discord.world
    trusted: Role = world.add_role(world.guild, "Trusted")
    world.guild.members[world.bruno.id].roles.append(trusted.id)
    async with start():
        refusal = await ask(discord, world.admin, "review channel", channel=mods, hold="untrusted")
        assert "no trusted role yet" in refusal
        for who in (world.ada, world.moderator):
            asked = await raw_command(discord, who, "review off")
            assert "Manage Server" in await private(discord, asked)
        await ask(discord, world.admin, "review channel", channel=mods, hold="untrusted", trusted_role=trusted)
        await draw(discord, world.bruno)
        act = await discord.as_(world.ada).slash("draw", prompt="a fox", private=True)
        await act.until(is_held)
        await press(discord, world.moderator, await card(discord, mods), "Approve")
        await act.until(painted)
        home = discord.as_(world.ada, world.direct_channel(world.ada))
        await result(await home.slash("draw", prompt="a fox"))
        await ask(discord, world.admin, "review channel", channel=mods, hold="flagged")
        await draw(discord)
        assert "no review channel" in await ask(discord, world.admin, "review off")
        asked = await raw_command(discord, world.ada, "review show")
        assert "Manage Messages" in await private(discord, asked)


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
