"""Work on finished pictures as people see it."""

from dataclasses import replace
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import OutOfMemoryError
from bot.domain.job import Job, Origin, Picture, Result, State
from bot.domain.ports import Progress
from bot.domain.request import CutoutRequest, DescribeRequest, PaintRequest, UpscaleRequest, Work
from bot.ui import cards, work
from bot.ui.card import Card
from tests.unit.ui_jobs import job

NASTY = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("*_~`|<>@#-[]()\\:1.\n\u202e&!")), max_size=4000
)
UPSCALE = UpscaleRequest("R-ESRGAN 4x+", 2.0, image="blob", width=512, height=768)
LARGER = Picture("larger", "image/png", 1024, 1536, 42, "a harbour\nSteps: 9, Seed: 42, Size: 512x768")


def at(asked: Work, prompt: str = "a quiet harbour", **changes: Any) -> Job:
    return job(prompt, spec={"work": asked, "origin": Origin.UPSCALE}, **changes)


def done(asked: Work, *pictures: Picture, prompt: str = "a quiet harbour", caption: str | None = None) -> Job:
    return at(asked, prompt, state=State.DELIVERED, result=Result(pictures, "gpu1", 8.31, caption=caption))


def embed_of(card: Card) -> discord.Embed:
    assert card.embed is not None
    return card.embed


def labels(card: Card) -> list[str | None]:
    assert card.view is not None
    return [item.label for item in card.view.children if isinstance(item, discord.ui.Button)]


@pytest.mark.parametrize(
    ("asked", "doing", "facts", "failed"),
    [
        (UPSCALE, "Upscaling", "512×768 → 1024×1536 · ×2 · R-ESRGAN 4x+", "Not upscaled"),
        (CutoutRequest("blob", "u2net"), "Cutting out", "background removal · u2net", "Not cut out"),
        (DescribeRequest("blob"), "Describing", "describing pictures", "Not described"),
    ],
)
def test_what_is_being_done_stands_where_paintings_say_painting(
    asked: Work, doing: str, facts: str, failed: str
) -> None:
    running = at(asked, state=State.RUNNING)
    assert embed_of(cards.painting(running, None)).title == doing
    assert embed_of(cards.painting(running, Progress(0.456))).title == f"{doing} · 45 %"
    assert embed_of(cards.waiting(running, None)).footer.text == facts
    broken = at(asked, state=State.FAILED, failure=OutOfMemoryError("Too large.").failure())
    assert embed_of(cards.failed(broken)).title == failed


def test_a_larger_copy_tells_its_seed_its_size_and_what_was_done() -> None:
    file = cards.attachment(done(UPSCALE, LARGER), 0, b"png", "image/png")
    card = cards.finished(done(UPSCALE, LARGER), None, [file])
    assert embed_of(card).footer.text == "seed 42 · dreamshaper_8 · 1024×1536 · ×2 · R-ESRGAN 4x+ · 8.3 s"
    assert file.description == "Prompt: a quiet harbour"


def test_a_picture_that_nobody_knows_needs_no_prompt_to_be_spoken_of() -> None:
    unknown = done(UPSCALE, replace(LARGER, infotext=""), prompt="")
    file = cards.attachment(unknown, 0, b"png", "image/png")
    card = cards.finished(unknown, None, [file])
    assert embed_of(card).description == "A picture, upscaled"
    assert "seed" not in (embed_of(card).footer.text or "")
    assert file.description == "A picture, upscaled"
    assert not {"Reroll", "Edit"} & set(labels(card))
    assert (cards.settings(unknown, "en").content or "").startswith("Nobody knows how this picture was painted.")


def test_settings_say_what_was_done_to_the_picture_since() -> None:
    asked = replace(UPSCALE, second="Nearest", second_share=0.25, codeformer=1.0)
    content = cards.settings(done(asked, LARGER), "en").content or ""
    assert "/draw prompt:a quiet harbour" in content
    options = "scale:2 upscaler:R-ESRGAN 4x+ second:Nearest second_share:0.25 face_fix:CodeFormer"
    assert content.endswith(f"Then: `/upscale {options}`")
    assert "`/cutout model:u2net`" in work.done_note(CutoutRequest("blob", "u2net"), "en")


def test_a_description_is_quoted_with_a_button_to_paint_it() -> None:
    asked = DescribeRequest("blob", "clip")
    told = done(asked, caption="a cat on *a* mat")
    card = work.described(told, told.result or Result((), "", 0), ("Ada", "https://x"), b"webp")
    assert embed_of(card).description == "“a cat on \\*a\\* mat”"
    assert embed_of(card).footer.text == "clip · 8.3 s"
    assert embed_of(card).thumbnail.url == "attachment://picture.webp"
    assert labels(card) == ["Draw this", "Delete"]
    silent = done(asked, caption="")
    assert labels(work.described(silent, silent.result or Result((), "", 0), None)) == ["Delete"]


def test_what_a_spoiler_shows_is_no_thumbnail_either() -> None:
    told = done(DescribeRequest("blob"), caption="a cat")
    hidden = replace(told, spec=replace(told.spec, spoiler=True))
    assert not work.described(hidden, hidden.result or Result((), "", 0), None, b"webp").files


@given(prompt=NASTY, caption=NASTY)
def test_whatever_a_picture_tells_fits_discord(prompt: str, caption: str) -> None:
    told = done(DescribeRequest("blob", "m" * 300), caption=caption)
    described = work.described(told, told.result or Result((), "", 0), ("n" * 300, "https://x"), b"webp")
    recipe = work.recipe(PaintRequest(prompt, 1, caption, model=prompt[:300]), "f" * 64, "en", spoiler=True)
    for card in (described, recipe):
        assert len(embed_of(card)) <= 6000
        assert len(embed_of(card).description or "") <= 4096
        assert len(embed_of(card).footer.text or "") <= 2048
        assert len(card.content or "") <= 2000
        assert card.view is not None
        ids = [item.custom_id for item in card.view.children if isinstance(item, discord.ui.Button)]
        assert all(1 <= len(custom_id or "") <= 100 for custom_id in ids)


def test_a_press_is_read_back_whatever_it_says() -> None:
    for marked in (False, True):
        card = work.recipe(PaintRequest("a cat", 1), "f" * 64, "en", spoiler=marked)
        assert card.view is not None
        ids = [item.custom_id or "" for item in card.view.children if isinstance(item, discord.ui.Button)]
        assert [work.pressed(each) for each in ids] == [("draw", "f" * 64, marked), ("words", "f" * 64, marked)]
    assert work.pressed("easel-describe:") == ("", "", False)
