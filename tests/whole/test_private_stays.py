"""What is private stays so: no code, no menu, no copy and no form shows it to anybody else."""

import pytest

from bot.domain.codes import code
from bot.rehearsal import Attachment, Discord, Message
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Overwrite, User
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.play import WAIT_S, ask, done, draw, eventually, painted, private, raw_press, result
from tests.whole.test_work import Stuck, known, webui, work

GONE = "no longer kept"


def public(discord: Discord) -> list[Message]:
    return [message for message in discord.world.channel.messages if message.private_to is None]


async def secret(discord: Discord, **values: str | int | bool) -> Message:
    """Let Ada have a picture that nobody else sees."""
    act = await discord.as_(discord.world.ada).slash("draw", prompt="a secret fox", private=True, **values)
    return await act.until(painted)


@pytest.mark.usefixtures("easel")
async def test_nobody_else_gets_at_a_private_picture_by_its_code_or_by_a_made_up_button(discord: Discord) -> None:
    world = discord.world
    await secret(discord)
    theirs = await draw(discord, world.bruno, prompt="an owl")
    for who in (world.bruno, world.moderator):
        assert GONE in await ask(discord, who, "draw", like=code(1))
        assert GONE in await ask(discord, who, "remix", prompt="a fox", like=code(1))
        assert GONE in await ask(discord, who, "preset save", name="stolen", like=code(1))
        for custom_id in ("easel:settings:1", "easel:dm:1", "easel:reroll:1", "easel:describe:1", "easel:edit:1"):
            assert GONE in await private(discord, await raw_press(discord, who, custom_id, theirs)), custom_id
    again = await discord.as_(world.ada).slash("draw", like=code(1))
    assert (await again.until(painted)).private_to == world.ada.id


@pytest.mark.usefixtures("easel")
async def test_a_code_is_worth_nothing_to_those_who_cannot_see_its_channel(discord: Discord) -> None:
    world = discord.world
    closed = Overwrite(world.bruno.id, deny=int(Permission.VIEW_CHANNEL), for_user=True)
    hidden = world.add_channel(world.guild, "back-room", overwrites=[closed])
    await result(await discord.as_(world.ada, hidden).slash("draw", prompt="a fox"))
    assert GONE in await ask(discord, world.bruno, "draw", like=code(1))
    assert GONE in await ask(discord, world.bruno, "remix", prompt="an owl", like=code(1))
    assert GONE in await ask(discord, world.bruno, "preset save", name="stolen", like=code(1))
    explored = await discord.as_(world.bruno).slash(
        "explore", prompt="an owl", across="cfg", across_values="3, 5", more=f"like {code(1)}"
    )
    assert GONE in await private(discord, explored)
    await result(await discord.as_(world.moderator).slash("draw", like=code(1)))


@pytest.mark.usefixtures("easel")
async def test_a_private_picture_is_described_in_private(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    message = await secret(discord)
    for act in (await ada.slash("describe"), await raw_press(discord, ada.user, "easel:describe:1", message)):
        assert "/draw prompt:a secret fox" in await private(discord, act)
        drawn = await ada.submit(await ada.press(act.message, "Draw this"))
        assert (await drawn.until(painted)).private_to == discord.world.ada.id
    assert not public(discord)


@pytest.mark.usefixtures("easel")
async def test_one_of_several_private_pictures_is_sent_in_private(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    act = await ada.choose(await secret(discord, count=2), "Take one", "Send 2")
    assert (await act.until(painted)).private_to == discord.world.ada.id
    assert not public(discord)


@pytest.mark.usefixtures("easel")
async def test_a_private_picture_is_shown_again_in_private(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    await secret(discord)
    await eventually(lambda: ada.autocomplete("show", "id", ""))
    page = await (await ada.slash("history")).until(lambda m: m.attachments)
    for act in (await ada.slash("show", id=code(1)), await ada.choose(page, "Show", f"1 · {code(1)}")):
        assert (await act.until(painted)).private_to == discord.world.ada.id
    assert not public(discord)


@pytest.mark.usefixtures("easel")
async def test_what_a_form_s_line_says_is_private_is_private(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    form = await ada.press(await draw(discord), "Edit")
    act = await ada.submit(form, {"prompt": "a secret owl", "settings": "128×128 · steps 4 · private on"})
    assert (await act.until(painted)).private_to == discord.world.ada.id
    assert not any("secret" in message.text for message in public(discord))


@pytest.mark.usefixtures("easel")
async def test_what_was_deleted_is_brought_back_by_nobody_but_its_asker(discord: Discord) -> None:
    world = discord.world
    message = await draw(discord)
    await discord.until(lambda: done(message))  # what is deleted before is cancelled: nobody ever has it
    await discord.as_(world.ada).press(message, "Delete")
    await eventually(lambda: forgotten(discord, world.bruno))
    assert GONE in await ask(discord, world.bruno, "draw", like=code(1))
    again = await discord.as_(world.ada).slash("show", id=code(1))
    assert (await again.until(painted)).private_to is None


async def forgotten(discord: Discord, who: User) -> bool:
    """Return whether somebody is refused the first picture, whose message was deleted a moment ago."""
    act = await discord.as_(who).slash("show", id=code(1))
    await discord.until(lambda: GONE in act.text or any(map(painted, act.replies)), WAIT_S)
    return GONE in act.text


@pytest.mark.usefixtures("easel")
async def test_a_spoiler_stays_one_when_its_recipe_is_drawn(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    await draw(discord, spoiler=True)
    told = await (await ada.slash("describe")).until(lambda m: "/draw" in m.text)
    drawn = await result(await ada.submit(await ada.press(told, "Draw this")))
    assert drawn.attachments[0].filename.startswith("SPOILER_")


@pytest.mark.usefixtures("easel")
async def test_a_spoiler_s_source_stays_hidden_in_what_is_painted_like_it(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    hidden = Attachment("SPOILER_a.png", pictures.png(128, 128))
    await result(await ada.slash("remix", image=hidden, prompt="a fox"))
    like = await result(await ada.slash("draw", prompt="an owl", like=code(1), spoiler=False))
    assert like.attachments[0].filename.startswith("SPOILER_")


async def test_work_of_others_that_failed_is_not_done_again_where_only_its_asker_may(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    async with Stuck() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        await ask(discord, world.admin, "settings server", others_may_reroll=False)
        server.stuck = True
        act = await work(discord, "upscale", image=Attachment("c.png", pictures.png(64, 48)))
        message = await act.until(lambda m: "Upscaling" in m.text, 20)
        await discord.as_(world.ada).press(message, "Cancel")
        await act.until(lambda m: "Cancelled" in m.text, 20)
        refused = await discord.as_(world.bruno).press(message, "Run again")
        assert "not yours" in await private(discord, refused)
        server.stuck = False
        await result(await discord.as_(world.ada).press(message, "Run again"))
