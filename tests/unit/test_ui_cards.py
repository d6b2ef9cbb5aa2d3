import re
from dataclasses import replace

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import AuthError, Failure, OutOfMemoryError, RejectedError, UnreachableError
from bot.domain.job import Address, Origin, Place, State
from bot.domain.ports import Progress
from bot.ui import cards, lineage
from bot.ui.card import Attachment, Card
from bot.ui.words import escaped
from tests.unit.ui_jobs import ASKER, finished, job

PNG = b"\x89PNG\r\n\x1a\n"
NASTY = st.text(
    alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("*_~`|<>@#-[]()\\:1.\n\u202e&!")),
    max_size=4000,
)


def embed_of(card: Card) -> discord.Embed:
    assert card.embed is not None
    return card.embed


def labels(card: Card) -> list[str | None]:
    assert card.view is not None
    return [item.label for item in card.view.children if isinstance(item, discord.ui.Button)]


def menus(card: Card) -> list[discord.ui.Select[discord.ui.View]]:
    assert card.view is not None
    return [item for item in card.view.children if isinstance(item, discord.ui.Select)]


def test_a_waiting_job_shows_its_place_its_prompt_how_long_and_a_cancel_button() -> None:
    card = cards.waiting(job(), Place(ahead=2, cost_ahead=2048, eta_s=37.2))
    assert embed_of(card).title == "In line · 3rd"
    assert embed_of(card).description == "“a quiet harbour”\nabout 40 s"
    assert embed_of(card).footer.text == "dreamshaper_8 · 768×512 · 25 steps"
    assert embed_of(card).colour == discord.Colour.blurple()
    assert labels(card) == ["Cancel"]


def test_an_unmeasured_wait_promises_no_time() -> None:
    assert embed_of(cards.waiting(job(), Place(0, 0))).description == "“a quiet harbour”"
    assert embed_of(cards.waiting(job(), None)).title == "In line"


def test_without_a_backend_the_job_says_since_when_and_keeps_its_place() -> None:
    card = cards.no_painter(job(), 1_700_000_000.9)
    assert embed_of(card).title == "Waiting for a painter"
    assert "<t:1700000000:R>" in (embed_of(card).description or "")
    assert labels(card) == ["Cancel"]


def test_why_no_backend_works_is_said_where_it_is_known() -> None:
    card = cards.no_painter(job(), 0.0, AuthError("It wants other credentials.", "Tell the host."))
    assert (embed_of(card).description or "").endswith("\nIt wants other credentials.\nTell the host.")
    away = UnreachableError("gpu1 cannot be reached.", "The job keeps its place and is painted when it is back.")
    assert (embed_of(cards.no_painter(job(), 0.0, away)).description or "").splitlines()[1:] == [
        "None is reachable since <t:0:R>; your place is kept.",
        "gpu1 cannot be reached.",
    ]


def test_a_job_at_work_shows_percent_bar_step_and_time_left() -> None:
    card = cards.painting(job(), Progress(0.45, 9, 20, 5.7))
    assert embed_of(card).title == "Painting · 45 %"
    assert embed_of(card).description == "“a quiet harbour”\n▰▰▰▰▰▱▱▱▱▱ step 9 of 20 · 6 s left"
    assert card.files == ()


@pytest.mark.parametrize("fraction", [-1.0, 0.0, 0.999, 7.0])
def test_the_bar_keeps_its_length_whatever_a_backend_reports(fraction: float) -> None:
    description = embed_of(cards.painting(job(), Progress(fraction))).description or ""
    assert len(re.findall("[▰▱]", description)) == 10


def test_a_preview_is_the_thumbnail_but_never_of_a_spoiler() -> None:
    card = cards.painting(job(), Progress(0.5, 1, 2, preview=b"RIFF"))
    assert embed_of(card).thumbnail.url == "attachment://preview.webp"
    assert [file.filename for file in card.files] == ["preview.webp"]
    assert not cards.painting(job(), Progress(0.5, 1, 2, preview=b"RIFF"), hidden=True).files
    hidden = cards.painting(job(spec={"spoiler": True}), Progress(0.5, 1, 2, preview=b"RIFF"))
    assert hidden.files == ()
    assert embed_of(hidden).thumbnail.url is None


def test_a_result_is_the_picture_its_prompt_its_asker_and_its_facts() -> None:
    done = finished()
    file = cards.attachment(done, 0, PNG, "image/png")
    card = cards.finished(done, ("Ada", "https://cdn.example/ada.png"), [file], ())
    embed = embed_of(card)
    assert embed.title is None
    assert embed.description == "“a quiet harbour”"
    assert embed.author.name == "Ada"
    assert embed.image.url == "attachment://easel-7-0.png"
    assert embed.footer.text == ("seed 42 · dreamshaper_8 · 768×512 · 25 steps · CFG 7 · DPM++ 2M Karras · 8.3 s")
    assert labels(card) == ["Reroll", "Edit", "Remix", "Settings", "Delete"]
    assert [menu.placeholder for menu in menus(card)] == ["More"]


def test_several_pictures_are_one_grid_with_a_menu_that_takes_one() -> None:
    done = finished(42, 43, 44)
    card = cards.finished(done, None, [cards.attachment(done, 0, PNG, "image/png")], ())
    assert (embed_of(card).footer.text or "").startswith("seeds 42–44 · ")
    menu, more = menus(card)
    assert (menu.placeholder, more.placeholder) == ("Take one", "More")
    assert [(option.value, option.description) for option in menu.options] == [
        ("1", "seed 42"),
        ("2", "seed 43"),
        ("3", "seed 44"),
    ]


def test_no_picture_took_no_time_at_all() -> None:
    made = finished()
    assert made.result is not None
    for seconds, words in ((0.0, "under 0.1 s"), (0.099, "under 0.1 s"), (0.1, "0.1 s"), (8.34, "8.3 s")):
        card = cards.finished(replace(made, result=replace(made.result, seconds=seconds)), None, ())
        assert (embed_of(card).footer.text or "").split(" · ")[-1] == words


def test_one_of_several_comes_with_its_own_seed() -> None:
    done = finished(42, 43)
    card = cards.single(done, 1, cards.attachment(done, 2, PNG, "image/webp"))
    assert (embed_of(card).footer.text or "").startswith("seed 43 · ")
    assert embed_of(card).image.url == "attachment://easel-7-2.webp"


def test_a_name_that_turns_the_text_around_turns_nothing_around() -> None:
    card = cards.finished(job(), ("A\u202eda", "https://cdn.example/a.png"), ())
    assert embed_of(card).author.name == "Ada"
    assert escaped("a\u202e*b*") == "a\\*b\\*"


def test_a_spoiler_is_a_hidden_attachment_and_no_embedded_picture() -> None:
    done = finished(spec={"spoiler": True})
    card = cards.finished(done, None, [cards.attachment(done, 0, PNG, "image/jpeg")], ())
    assert embed_of(card).image.url is None
    (file,) = card.edit_fields()["attachments"]
    assert file.filename == "SPOILER_easel-7-0.jpg"


def test_a_note_stands_small_under_the_prompt_and_once() -> None:
    card = cards.finished(finished(), None, [], (cards.REDUCED, cards.REDUCED))
    assert embed_of(card).description == f"“a quiet harbour”\n-# {cards.REDUCED}"


def test_a_result_names_its_parent_in_one_short_line() -> None:
    parent, child = finished(), job(spec={"origin": Origin.VARY, "parent": 7})
    line = lineage.line(child, parent)
    assert line == "Varied from https://discord.com/channels/100/300/400"
    card = cards.finished(child, None, [], (cards.REDUCED,), lineage=line)
    assert embed_of(card).description == f"“a quiet harbour”\n-# {cards.REDUCED}\n-# {line}"


def test_a_parent_that_cannot_be_seen_or_is_replied_to_has_no_line() -> None:
    child = job(spec={"origin": Origin.REROLL, "parent": 7})
    hidden = finished(address=Address(300, 400, 100, ephemeral=True))
    unsent = finished(address=Address(300))
    reply = replace(child, address=Address(300, 401, 100, reply_to=400))
    assert [lineage.line(child, parent) for parent in (None, hidden, unsent)] == [None, None, None]
    assert lineage.line(reply, finished()) is None
    assert lineage.line(job(), finished()) is None
    alone = finished(address=Address(300, 400))
    assert lineage.line(child, alone) == "Rerolled from https://discord.com/channels/@me/300/400"


def test_a_failure_says_what_happened_and_what_to_do_and_offers_another_try() -> None:
    failure = Failure("It stood still for {minutes} min.", "Try again.", {"minutes": 5}, code="K7F2")
    card = cards.failed(job(state=State.FAILED, failure=failure))
    assert embed_of(card).title == "Not painted"
    assert embed_of(card).description == "“a quiet harbour”\nIt stood still for 5 min.\nTry again."
    assert embed_of(card).footer.text == "code K7F2"
    assert labels(card) == ["Try again"]


def test_out_of_memory_offers_a_smaller_one() -> None:
    failure = OutOfMemoryError("It does not fit.", "Choose a smaller size.").failure()
    assert labels(cards.failed(job(state=State.FAILED, failure=failure))) == ["Try again", "Smaller"]


def test_a_cancelled_job_names_who_did_it_unless_it_was_the_asker() -> None:
    own = cards.cancelled(job(state=State.CANCELLED, cancelled_by=ASKER))
    assert embed_of(own).description == "“a quiet harbour”"
    assert labels(own) == ["Run again"]
    other = cards.cancelled(job(state=State.CANCELLED, cancelled_by=999))
    assert embed_of(other).description == "“a quiet harbour”\nby <@999>"


def test_after_a_long_wait_the_asker_alone_may_be_pinged() -> None:
    card = cards.wait_is_over(finished())
    assert card.content == f"<@{ASKER}> your picture is ready."
    assert dict(card.allowed_mentions.to_dict()) == {"parse": [], "users": [ASKER]}


def test_no_other_card_may_ping_anybody() -> None:
    card = cards.waiting(job("@everyone <@200>"), None)
    assert card.send_fields()["allowed_mentions"].to_dict() == {"parse": []}


def test_an_edit_leaves_nothing_of_what_was_there_before() -> None:
    assert cards.not_queued("en").edit_fields() | {"embed": 0, "allowed_mentions": 0} == {
        "content": None,
        "embed": 0,
        "view": None,
        "attachments": [],
        "allowed_mentions": 0,
    }


def test_a_new_message_leaves_out_what_it_has_not() -> None:
    assert set(cards.not_queued("en").send_fields()) == {"embed", "allowed_mentions"}


def test_settings_are_one_command_to_copy() -> None:
    card = cards.settings(finished(), "en")
    assert card.content is not None
    assert card.content.startswith("```\n/draw prompt:a quiet harbour ")


@pytest.mark.parametrize("prompt", ["x" * 4000, "a ``` b"])
def test_settings_that_fit_no_code_block_are_a_text_file_with_the_whole_command(prompt: str) -> None:
    card = cards.settings(finished(request={"prompt": prompt}), "en")
    (file,) = card.files
    assert file.filename == "easel-7-settings.txt"
    assert re.search(f"prompt: ?{prompt}", file.data.decode())


def test_a_files_bytes_stay_out_of_its_repr() -> None:
    assert "secret" not in repr(Attachment("a.png", b"secret"))


async def test_discord_py_keeps_none_of_the_views_that_are_only_drawn() -> None:
    done = finished(1, 2)
    for card in (cards.waiting(job(), None), cards.finished(done, None, []), cards.cancelled(done)):
        assert card.view is not None
        # What decides in Webhook.edit_message, Messageable.send and PartialMessage.edit.
        assert card.view.is_finished()
        assert not card.view.is_dispatching()


def unescaped(text: str) -> str:
    """What is left of a text for Discord's markdown once every escaped character is taken out."""
    return re.sub(r"\\[^0-9A-Za-z\s]", "", text)


@settings(max_examples=50)
@given(prompt=NASTY, seeds=st.integers(1, 4), model=st.text(max_size=300))
def test_every_card_fits_discord_and_shows_a_prompt_as_it_was_typed(prompt: str, seeds: int, model: str) -> None:
    asked = job(prompt, request={"model": model, "sampler": model or None})
    done = finished(*range(seeds), request={"prompt": prompt})
    failure = Failure("It said: {reason}", "Try again.", {"reason": prompt})
    files = [cards.attachment(done, 0, PNG, "image/png")]
    drawn = [
        cards.waiting(asked, Place(10_000, 1, 1e6)),
        cards.no_painter(asked, 0.0, RejectedError("It said: {reason}", reason=prompt)),
        cards.painting(asked, Progress(0.5, 1, 2, 3.0, b"RIFF")),
        cards.finished(done, (prompt, "https://cdn.example/a.png"), files, (cards.REDUCED,) * 50),
        cards.single(done, 0, files[0]),
        cards.failed(job(prompt, state=State.FAILED, failure=failure)),
        cards.cancelled(job(prompt, state=State.CANCELLED)),
    ]
    for card in drawn:
        embed = embed_of(card)
        assert 0 < len(embed.description or "") <= 4096
        assert len(embed.footer.text or "") <= 2048
        assert len(embed.title or "") <= 256
        assert len(embed.author.name or "") <= 256
        assert len(embed) <= 6000
        shown = (embed.description or "").replace(f"-# {cards.REDUCED}", "").replace("<t:0:R>", "")
        assert not re.search(r"[*_~`|\[]|^[ \t]*(#|>|-|\d+[.)])", unescaped(shown), re.MULTILINE)
        assert not re.search(r"<[@#:/at]", unescaped(shown))
        assert not re.search(r"@(everyone|here|[!&]?\d)", shown)
        for file in card.files:
            assert len(file.description) <= 1000
            assert re.fullmatch(r"easel-7-\d\.png|preview\.webp", file.filename)


@settings(max_examples=50)
@given(NASTY)
def test_settings_hold_the_whole_prompt_within_discords_limits(prompt: str) -> None:
    card = cards.settings(finished(request={"prompt": prompt}), "en")
    assert len(card.content or "") <= 2000
