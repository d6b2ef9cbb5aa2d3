"""The commands that answer in private, and the message menu, as people in Discord see them."""

import io

import pytest
from PIL import Image

from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.whole.conftest import Start
from tests.whole.play import ask, private


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (200, 100), "teal").save(made, "PNG")
    return made.getvalue()


@pytest.mark.usefixtures("easel")
async def test_help_shows_commands_that_can_be_clicked(discord: Discord) -> None:
    text = await ask(discord, discord.world.ada, "help")
    assert "</draw:" in text
    assert "</queue show:" in text


@pytest.mark.usefixtures("easel")
async def test_ones_own_defaults_are_kept_shown_used_and_taken_back(discord: Discord) -> None:
    ada = discord.world.ada
    assert "`steps`  3  · you" in await ask(discord, ada, "preferences", steps=3)
    assert "`steps`  4  · this bot" in await ask(discord, discord.world.bruno, "preferences")
    act = await discord.as_(ada).slash("draw", prompt="a fox")
    assert "3 steps" in (await act.until(lambda message: message.attachments)).text
    assert "`steps`  4  · this bot" in await ask(discord, ada, "preferences", reset="steps")


@pytest.mark.usefixtures("easel")
async def test_a_name_that_no_backend_has_is_refused_in_words(discord: Discord) -> None:
    assert "There is no sampler" in await ask(discord, discord.world.ada, "preferences", sampler="Ouija")
    assert "There is no model" in await ask(discord, discord.world.ada, "model use", model="nothing")


@pytest.mark.usefixtures("easel")
async def test_who_manages_the_server_sets_its_defaults_and_limits(discord: Discord) -> None:
    admin = discord.world.admin
    text = await ask(discord, admin, "settings server", steps=2, max_steps=9, spoiler=True)
    assert "`max_steps`  9  · this server" in text
    assert "`spoiler`  on  · this server" in text
    assert "`steps`  2  · this server" in await ask(discord, discord.world.ada, "preferences")
    assert "9" in await ask(discord, discord.world.ada, "draw", prompt="a fox", steps=10)
    assert "`max_steps`  60  · this bot" in await ask(discord, admin, "settings server", reset="everything")


@pytest.mark.usefixtures("easel")
async def test_settings_are_refused_in_words_where_an_admin_opened_the_command_to_all(discord: Discord) -> None:
    command = discord.commands.find("settings")
    assert command is not None
    command["default_member_permissions"] = None
    assert "Manage Server" in await ask(discord, discord.world.ada, "settings server", steps=2)
    assert "Manage Server" in await ask(discord, discord.world.ada, "settings show")


@pytest.mark.usefixtures("easel")
async def test_the_servers_model_is_the_admins_choice(discord: Discord) -> None:
    model = "sketch (no model)"
    assert "Manage Server" in await ask(discord, discord.world.ada, "model default", model=model)
    chosen = await ask(discord, discord.world.admin, "model default", model=model)
    assert f"**{model}** · this server's default" in chosen
    assert "your default" in await ask(discord, discord.world.ada, "model use", model=model)
    assert "this server's default" in await ask(discord, discord.world.ada, "model use")


@pytest.mark.usefixtures("easel")
async def test_models_and_samplers_are_suggested(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    assert await ada.autocomplete("draw", "model", "ske", prompt="x")
    assert await ada.autocomplete("model use", "model", "")
    assert await ada.autocomplete("preferences", "sampler", "")


@pytest.mark.usefixtures("easel")
async def test_the_message_menu_remixes_a_picture_that_somebody_posted(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    posted = await discord.as_(discord.world.bruno).say("look", Attachment("SPOILER_cat.png", picture()))
    opened = await ada.menu("Remix", posted)
    act = await ada.submit(opened, {"prompt": "a cat at night", "strength": "0.5"})
    message = await act.until(lambda made: made.attachments)
    assert "a cat at night" in message.text
    assert message.attachments[0].spoiler, "what was hidden stays hidden"


@pytest.mark.usefixtures("easel")
async def test_the_message_menu_remixes_a_picture_of_ours(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    first = await (await ada.slash("draw", prompt="a fox")).until(lambda message: message.attachments)
    act = await ada.submit(await ada.menu("Remix", first), {"prompt": "a fox at night"})
    assert "a fox at night" in (await act.until(lambda message: message.attachments)).text


@pytest.mark.usefixtures("easel")
async def test_a_message_without_a_picture_cannot_be_remixed(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    act = await ada.menu("Remix", await ada.say("only words"))
    assert "no picture attached" in await private(discord, act)


@pytest.mark.usefixtures("easel")
async def test_the_settings_of_a_picture_can_be_copied(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    act = await ada.slash("draw", prompt="a _fox_", seed=7, steps=3)
    message = await act.until(lambda made: made.attachments)
    text = await private(discord, await ada.press(message, "Settings"))
    assert "/draw prompt:a _fox_ " in text
    assert "seed:7" in text


@pytest.mark.usefixtures("easel")
async def test_settings_that_say_nothing_are_refused_in_private(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    message = await (await ada.slash("draw", prompt="a fox")).until(lambda made: made.attachments)
    act = await ada.submit(await ada.press(message, "Edit"), {"settings": "nice please"})
    assert "“nice please”" in await private(discord, act)


@pytest.mark.usefixtures("easel")
async def test_a_picture_is_remixed_by_command(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    image = Attachment("cat.png", picture())
    act = await ada.slash("remix", image=image, prompt="a cat at night", strength=0.5)
    assert "a cat at night" in (await act.until(lambda made: made.attachments)).text


@pytest.mark.usefixtures("easel")
async def test_in_direct_messages_there_is_no_server_to_set_anything_for(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada, discord.world.direct_channel(discord.world.ada))
    act = await ada.slash("model default")
    await discord.until(lambda: act.replies)
    assert "There is no server here." in act.text


async def test_a_form_left_open_over_a_restart_asks_for_the_menu_again(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        posted = await ada.say("look", Attachment("cat.png", picture()))
        opened = await ada.menu("Remix", posted)
    async with start():
        act = await ada.submit(opened, {"prompt": "a cat at night"})
        assert "Open the message's menu once more" in await private(discord, act)
