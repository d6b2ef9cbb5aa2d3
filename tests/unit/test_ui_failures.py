from typing import Any

import discord
import pytest
from discord import AppCommandOptionType as Kind
from discord import app_commands
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import DeniedError, Failure, RejectedError, RequestError
from bot.ui.failures import explain, failure_text

RANGE: Any = app_commands.Range[int, 1, 2]


@app_commands.command()
async def draw(interaction: discord.Interaction) -> None:
    """Do nothing."""


def test_our_own_errors_say_what_happened_and_what_to_do() -> None:
    embed = explain(RequestError("No {name}.", "Try {other}.", name="cat", other="dog"), "en")
    assert embed.description == "No cat.\nTry dog."
    assert embed.footer.text is None


def test_our_own_bugs_show_a_code_and_nothing_else() -> None:
    embed = explain(ZeroDivisionError("secret token"), "en", code="K7F2")
    assert "secret" not in str(embed.to_dict())
    assert "division" not in str(embed.to_dict()).lower()
    assert embed.footer.text == "code K7F2"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (app_commands.MissingPermissions(["manage_guild"]), "You need Manage Server"),
        (app_commands.BotMissingPermissions(["attach_files"]), "I need Attach Files"),
        (app_commands.CommandOnCooldown(app_commands.Cooldown(1, 9), 4.2), "again in 4 s"),
        (app_commands.NoPrivateMessage(), "in servers only"),
        (app_commands.TransformerError("x", Kind.integer, RANGE), "“x” does not fit"),
        (app_commands.CommandNotFound("draw", []), "Reload Discord"),
        (app_commands.CommandSignatureMismatch(draw), "Reload Discord"),
        (app_commands.CheckFailure(), "may not use this"),
    ],
)
def test_discord_pys_errors_are_put_in_words(error: Any, words: str) -> None:
    assert words in (explain(error, "en").description or "")


def test_what_a_command_raised_is_explained_and_not_its_wrapper() -> None:
    wrapped = app_commands.CommandInvokeError(draw, DeniedError("Not here.", "Ask an admin."))
    assert explain(wrapped, "en").description == "Not here.\nAsk an admin."


def test_a_backends_own_words_cannot_ping_or_format() -> None:
    embed = explain(RejectedError("It said: {reason}", reason="**@everyone** <@1> [x](http://y)"), "en")
    assert embed.description == "It said: \\*\\*@\u200beveryone\\*\\* \\<@\u200b1> \\[x\\](http://y)"


@given(st.text(max_size=9000), st.text(max_size=9000))
def test_every_explanation_fits_discord(reason: str, code: str) -> None:
    embed = explain(RejectedError("It said: {reason}", "Mind {reason}", reason=reason), "en", code=code[:8])
    assert 0 < len(embed.description or "") <= 4096
    assert len(failure_text(Failure("{reason}", values={"reason": reason}), "en")) <= 2000
