from dataclasses import replace

import pytest

from bot.domain.errors import RequestError
from bot.services.preferences import EMOJI
from bot.ui import reactions
from bot.ui.buttons import Action
from tests.unit.test_ui_tables import EFFECTIVE


@pytest.mark.parametrize(
    ("emoji", "action"),
    [
        ("🔁", Action.REROLL),
        ("❌", Action.CANCEL),
        ("⭐", Action.FAVOURITE),
        ("✉️", Action.DM),
        ("✉", Action.DM),
        ("⬆️", Action.UPSCALE),
        ("⬆", Action.UPSCALE),
        ("🎉", None),
        ("<:again:123456789012345678>", None),
    ],
)
def test_a_reaction_means_what_the_host_or_the_server_chose(emoji: str, action: Action | None) -> None:
    assert reactions.meant(EFFECTIVE, emoji) is action


def test_a_custom_emoji_is_known_by_its_id_whatever_its_name() -> None:
    chosen = replace(EFFECTIVE, emoji_reroll="<:again:123456789012345678>")
    assert reactions.meant(chosen, "<a:renamed:123456789012345678>") is Action.REROLL
    assert reactions.meant(chosen, "🔁") is None


@pytest.mark.parametrize(
    "emoji", ["🎲", "♻️", "👍🏽", "🏳️‍🌈", "👩‍💻", "🇩🇪", "3️⃣", "ℹ️", "‼️", "➕", "<a:dance:123456789012345678>"]
)
def test_every_kind_of_emoji_can_be_chosen(emoji: str) -> None:
    reactions.check({"emoji_reroll": emoji}, EFFECTIVE)


@pytest.mark.parametrize(
    "text", ["again", "", ":repeat:", "+", "3", "🎲🎲", "🎲 ", "a🎲", "\u200d", "\ufe0f", "<:x:1>", "🎲" * 40]
)
def test_what_is_no_single_emoji_is_refused_in_words(text: str) -> None:
    with pytest.raises(RequestError, match="no emoji" if text else "cannot be the same|no emoji"):
        reactions.check({"emoji_reroll": text or " "}, EFFECTIVE)


def test_two_reactions_cannot_be_the_same() -> None:
    with pytest.raises(RequestError, match="cannot be the same"):
        reactions.check({"emoji_reroll": "⭐"}, EFFECTIVE)
    reactions.check({"emoji_reroll": "⭐", "emoji_favourite": "🌟"}, EFFECTIVE)


def test_taking_one_back_means_the_usual_one() -> None:
    chosen = replace(EFFECTIVE, emoji_reroll="🎲", emoji_favourite="🔁")
    with pytest.raises(RequestError, match="cannot be the same"):
        reactions.check({"emoji_reroll": None}, chosen)
    reactions.check(dict.fromkeys(EMOJI), chosen)
