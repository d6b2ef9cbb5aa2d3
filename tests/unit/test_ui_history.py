from dataclasses import replace

import discord
import pytest

from bot.domain.asker import Asker
from bot.domain.errors import RequestError
from bot.domain.gallery import Found, Search, Tally
from bot.domain.job import Job
from bot.ui import history, stats
from bot.ui.card import Attachment, Card
from tests.unit.ui_jobs import finished

DAY_S = 86400.0
NOW = 1_700_000_000.0
ASKER = Asker(200, guild_id=100)
SHEET = Attachment("easel-history.webp", b"")


def page_of(wanted: Search, *jobs: Job, number: int = 0, total: int = 1) -> Card:
    return history.page(history.Page(wanted, number, Found(total, jobs), {}), SHEET, "en")


def message_of(card: Card) -> discord.Message:
    """The message that Discord would send back with a press."""
    assert card.view is not None
    data = {
        "id": 1,
        "channel_id": 2,
        "content": "",
        "attachments": [],
        "embeds": [],
        "components": card.view.to_components(),
        "type": 0,
        "edited_timestamp": None,
        "pinned": False,
        "mention_everyone": False,
        "tts": False,
        "mentions": [],
        "mention_roles": [],
        "timestamp": "2026-01-01T00:00:00Z",
        "author": {"id": 3, "username": "Easel", "discriminator": "0", "avatar": None},
    }
    client = discord.Client(intents=discord.Intents.none())
    channel = client.get_partial_messageable(2)
    return discord.Message(state=client._connection, channel=channel, data=data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-11-14", 1_699_920_000.0),
        (" 7D ", NOW - 7 * DAY_S),
        ("2w", NOW - 14 * DAY_S),
        ("36h", NOW - 1.5 * DAY_S),
        ("1969-01-01", -365 * DAY_S),
    ],
)
def test_a_date_is_a_day_or_so_long_ago(text: str, moment: float) -> None:
    assert history.moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2023-02-30", "7", "d", "1e9d", "14.11.2023", "99999d"])
def test_what_is_no_date_is_refused_in_words(text: str) -> None:
    with pytest.raises(RequestError, match="is no date"):
        history.moment(text, NOW)


@pytest.mark.parametrize(
    "wanted",
    [
        Search(200, 100),
        Search(200, 100, "a: fox:", "m:1", NOW, NOW + 1, favourites=True, everywhere=True),
        Search(200, 100, "ö" * history.MAX_WORDS, "M" * 60, before=-5.0),
    ],
)
async def test_a_page_says_itself_what_was_searched_for(wanted: Search) -> None:
    card = page_of(wanted, finished(), number=12, total=999)
    assert history.asked(message_of(card), ASKER) == (wanted, 12)
    assert card.view is not None
    ids = [getattr(item, "custom_id", "") for item in card.view.children]
    assert len(ids) == 4
    assert max(map(len, ids)) <= 100


async def test_a_press_searches_only_for_whoever_pressed() -> None:
    asked = history.asked(message_of(page_of(Search(1, 100), finished())), ASKER)
    assert asked is not None
    assert asked[0].user == ASKER.user_id
    assert history.asked(None, ASKER) is None


def test_a_page_of_the_longest_prompts_fits_an_embed_and_shows_no_markdown() -> None:
    jobs = [replace(finished(*range(4), request={"prompt": "**" * 2000}), id=n) for n in range(10**12, 10**12 + 9)]
    card = page_of(Search(200, 100), *jobs, total=9)
    assert card.embed is not None
    assert len(card.embed.description or "") <= 4096
    assert "\\*\\*" in (card.embed.description or "")
    assert len(history.alt_text(Found(9, tuple(jobs)), "en")) <= 1000


def test_a_model_is_searched_by_the_name_that_people_know() -> None:
    values = {"model": "sd/dreamshaper_8.safetensors [879db523c3]", "words": "  a\n fox "}
    wanted = history.search(values, ASKER, NOW)
    assert (wanted.model, wanted.words) == ("dreamshaper_8", "a fox")


def test_a_chart_names_today_and_every_seventh_day_before() -> None:
    bars = stats.bars(Tally(days=(1,) * 30), 0.0)
    named = {i: label for i, label in enumerate(bars.labels) if label}
    assert named == {1: "01-02", 8: "01-09", 15: "01-16", 22: "01-23", 29: "01-30"}


def test_the_numbers_of_a_chart_are_said_in_words() -> None:
    tally = Tally(days=(10**6,) * 30)
    assert stats.alt_text(Tally(days=(0, 3)), 0.0, "en") == "Pictures per day from 1970-01-01 on: 0, 3"
    assert len(stats.alt_text(tally, 0.0, "en")) <= 1000
