"""Who reads what in which language: public words in the server's, private ones in the asker's."""

import shutil
from pathlib import Path

import pytest

from bot import i18n
from bot.rehearsal import Discord, Message
from tests.standins.webui import Fault, StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, result


def labels(message: Message) -> set[str | None]:
    return {control.get("label") for control in message.controls}


@pytest.mark.usefixtures("easel")
async def test_discords_menus_have_the_words_of_every_language_and_one_name_for_all(discord: Discord) -> None:
    command = discord.commands.find("draw")
    assert command is not None
    assert command["description_localizations"]["de"] == "Ein Bild aus Worten malen"
    assert "en-US" not in command["description_localizations"]
    assert not command["name_localizations"]
    prompt = next(option for option in command["options"] if option["name"] == "prompt")
    assert prompt["description_localizations"]["de"] == "Was gemalt werden soll"
    menu = discord.commands.find("Show settings", 3)
    assert menu is not None
    assert menu["name_localizations"]["de"] == "Einstellungen zeigen"


async def test_what_everybody_sees_is_in_the_servers_language(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start():
        assert "`language`  de  · this server" in await ask(discord, world.admin, "settings server", language="de")
        message = await draw(discord, world.ada)
        assert labels(message) >= {"Neu malen", "Löschen"}
        assert "4 Schritte" in message.text
        act = await discord.as_(world.ada).press(message, "Neu malen")
        assert "Neu gemalt aus" in (await result(act)).text
    async with start(EASEL_BACKENDS="sketch=30"):
        act = await discord.as_(world.ada).slash("draw", prompt="a fox")
        status = await act.until(lambda message: "Malen" in message.text)
        assert labels(status) == {"Abbrechen"}
        await discord.as_(world.ada).press(status, "Abbrechen")
        assert "Abgebrochen" in (await act.until(lambda message: "Noch einmal" in labels(message))).text


@pytest.mark.usefixtures("easel")
async def test_what_one_person_sees_is_in_their_own_language(discord: Discord) -> None:
    world = discord.world
    await ask(discord, world.admin, "settings server", language="de")
    assert "There is no job 7K2M9QX4B here" in await ask(discord, world.ada, "queue cancel", job="7K2M9QX4B")
    act = await discord.as_(world.ada).slash("draw", prompt="a fox", private=True)
    assert "4 steps" in (await act.until(lambda message: message.attachments)).text
    await ask(discord, world.admin, "settings server", reset="language")
    world.bruno.locale = "de"
    assert "gibt es hier nicht" in await ask(discord, world.bruno, "queue cancel", job="7K2M9QX4B")
    assert "Ein Bild aus Worten malen" in await ask(discord, world.bruno, "help")


@pytest.mark.usefixtures("easel")
async def test_where_no_language_was_chosen_the_askers_is_taken(discord: Discord) -> None:
    discord.world.ada.locale = "de"
    assert "4 Schritte" in (await draw(discord, discord.world.ada)).text
    assert "4 steps" in (await draw(discord, discord.world.bruno)).text


async def test_a_failure_is_told_in_the_servers_language_too(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await ask(discord, discord.world.admin, "settings server", language="de")
        server.fault = Fault.OUT_OF_MEMORY
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
        await act.bus.until(lambda: "ging der Grafikspeicher aus" in act.text, 20)
        assert "Nicht gemalt" in act.text


async def test_discord_is_told_again_when_a_translation_changes(
    discord: Discord, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str:
        command = discord.commands.find("draw")
        assert command is not None
        return str(command["version"])

    async with start():
        first = version()
    async with start():
        assert version() == first
    shutil.copytree(i18n.FOLDER, tmp_path / "locales")
    file = tmp_path / "locales" / "de" / i18n.FILE
    file.write_text(
        file.read_text(encoding="utf-8").replace("Ein Bild aus Worten malen", "Ein Bild malen"), "utf-8"
    )
    monkeypatch.setattr(i18n, "FOLDER", tmp_path / "locales")
    read = (i18n.shipped, i18n._messages, i18n._catalogue)
    for cached in read:
        cached.cache_clear()
    try:
        async with start():
            assert version() != first
    finally:
        for cached in read:
            cached.cache_clear()
