"""The review channel: pictures are held until a moderator has looked at them, whatever happens meanwhile."""

from bot.domain.codes import code as code_of
from bot.rehearsal import Discord
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Channel, Message, Overwrite, Role
from tests.whole.conftest import Start
from tests.whole.exploring import GRID
from tests.whole.play import ask, draw, painted, private, raw_command, raw_press, result, told
from tests.whole.reviewing import DECLINED, card, cards, is_held, order, press, reviewing


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
