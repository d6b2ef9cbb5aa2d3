"""An exploration as people see it, whatever its values, its prompt and its fate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Failure, GoneError
from bot.domain.job import Job, Origin, Place, Sheet, State
from bot.domain.ports import Progress
from bot.domain.request import Hires, Lora
from bot.ui import cards, explore
from bot.ui.card import Card
from tests.unit.ui_jobs import job, result

COLUMNS, ROWS = ("Euler", "DPM++ 2M"), ("4", "7")
FAILURE = Failure("It ran out of graphics memory.", "Choose a smaller size.")
ODD = st.text(min_size=1, max_size=200)


def cells(
    columns: tuple[str, ...] = COLUMNS,
    rows: tuple[str, ...] = ROWS,
    across: str = "sampler",
    down: str = "cfg",
    prompt: str = "a quiet harbour",
    **request: object,
) -> list[Job]:
    made = []
    for index in range(len(columns) * len(rows)):
        sheet = Sheet("i:1:", index, across, columns, down, rows)
        cell = job(prompt, state=State.DELIVERED, spec={"sheet": sheet, "origin": Origin.EXPLORE}, request=request)
        made.append(replace(cell, id=7 + index, result=result(42)))
    return made


def text(card: Card) -> str:
    embed = card.embed
    assert embed is not None
    return "\n".join(filter(None, (embed.title, embed.description, embed.footer.text)))


def shown(made: list[Job]) -> Card:
    return explore.finished(made, ("Ada", "https://cdn.example/a.png"), explore.picture(made, b"x", "image/jpeg"))


def menu(card: Card) -> list[str]:
    assert card.view is not None
    return [option["label"] for option in card.view.to_components()[1]["components"][0]["options"]]


def test_the_result_names_both_parameters_and_what_all_have_in_common() -> None:
    made = cells()
    made[3] = replace(made[3], result=replace(result(42), sampler="Heun"))
    words = text(shown(made))
    assert "→ **sampler** Euler · DPM++ 2M\n↓ **cfg** 4 · 7" in words
    assert words.endswith("seed 42 · dreamshaper\\_8 · 768×512 · 25 steps · CFG 7".replace("\\", ""))
    assert menu(shown(made)) == ["Euler · 4", "DPM++ 2M · 4", "Euler · 7", "DPM++ 2M · 7"]


def test_cells_without_a_picture_are_told_with_their_reason_and_cannot_be_taken() -> None:
    made = cells()
    made[1] = replace(made[1], state=State.FAILED, failure=FAILURE, result=None)
    made[2] = replace(made[2], state=State.CANCELLED, result=None)
    words = text(shown(made))
    assert "1 failed: It ran out of graphics memory. Choose a smaller size." in words
    assert "1 was cancelled" in words
    assert menu(shown(made)) == ["Euler · 4", "DPM++ 2M · 7"]
    assert [explore.word(cell) for cell in made[1:3]] == ["failed", "cancelled"]


def test_a_spoiler_stays_out_of_the_embed_and_the_picture_says_what_it_shows() -> None:
    made = [replace(cell, spec=replace(cell.spec, spoiler=True)) for cell in cells()]
    card = shown(made)
    assert card.embed is not None
    assert card.embed.image.url is None
    assert card.files[0].sent_name == "SPOILER_easel-7-sheet.jpg"
    assert card.files[0].description == (
        "A grid of pictures. Columns, sampler: Euler, DPM++ 2M. Rows, cfg: 4, 7. Prompt: a quiet harbour"
    )
    assert explore.label(cells(("1",), ("",), "seed", "")[0]) == "1"


def test_what_waits_and_what_is_at_work_is_counted_with_a_bar_over_all_cells() -> None:
    whole = replace(cells()[0], state=State.RUNNING)
    waiting = explore.counted(cards.waiting(whole, Place(2, 9, 70.0)), whole, 0, 4, 0.0, waits=True)
    assert text(waiting).startswith(
        "Exploring · 0 of 4\n“a quiet harbour”\nIn line · 3rd\nabout 1 min\n→ **sampler**"
    )
    away = explore.counted(cards.no_painter(whole, 0.0), whole, 0, 4, 0.0, waits=True)
    assert "\nWaiting for a painter\nNone is reachable since <t:0:R>; your place is kept.\n→" in text(away)
    later = explore.counted(cards.waiting(whole, Place(0, 0)), whole, 2, 4, 0.5, waits=True)
    assert "\n▰▰▰▰▰▱▱▱▱▱\nIn line · 1st\n" in text(later)
    painting = explore.counted(cards.painting(whole, Progress(0.9)), whole, 2, 4, 0.6, waits=False)
    assert text(painting).startswith("Exploring · 2 of 4\n“a quiet harbour”\n▰▰▰▰▰▰▱▱▱▱\n→")
    assert "90 %" not in text(painting)


def test_settings_are_the_command_that_explores_the_same() -> None:
    made = cells(negative_prompt="blurry", loras=(Lora("film", 0.5),), hires=Hires(1.5, "Latent"), clip_skip=2)
    assert explore.command_line(made[0]) == (
        "/explore prompt:a quiet harbour across:sampler across_values:Euler, DPM++ 2M down:cfg down_values:4, 7 "
        "negative_prompt:blurry model:dreamshaper_8.safetensors [879db523c3] size:768x512 steps:25 seed:42 "
        "lora:film:0.5 more:clip_skip 2 · hires 1.5 · hires_upscaler Latent"
    )


def test_settings_leave_out_what_is_explored_and_quote_what_has_a_comma() -> None:
    one_side = explore.command_line(cells(("512", "768"), ("1", "2"), "width", "seed")[0])
    assert " size:" not in one_side
    assert " seed:" not in one_side
    assert "more:height 512" in one_side
    words = explore.command_line(cells(("quiet", "loud, busy"), ("",), "prompt", "")[0])
    assert 'across:prompt across_values:quiet, "loud, busy" model:' in words
    sizes = explore.command_line(cells(("2:3", "64×64"), ("",), "size", "")[0])
    assert "across_values:2:3, 64×64" in sizes
    assert "768" not in sizes


@pytest.mark.parametrize("prompt", ["two\nlines", "look down: sky", "x" * 3000])
def test_what_cannot_be_typed_is_left_to_the_code(prompt: str) -> None:
    line = explore.command_line(cells(prompt=prompt)[0])
    assert "like 0007" in line
    assert line.count("down:") == 1


def test_a_long_command_comes_as_a_file() -> None:
    card = explore.settings(cells(negative_prompt="y" * 1500, prompt="x" * 1400), "en")
    assert card.content == "The command is long: it is in the file."
    assert card.files[0].data.startswith(b"/explore prompt:xxx")


def test_an_id_that_is_none_of_ours_is_gone() -> None:
    assert explore.pressed("easel-explore:take:7") == ("take", 7)
    for made in ("easel-explore:", "easel-explore:take:", "easel-explore:paint:7", f"easel-explore:take:{10**19}"):
        with pytest.raises(GoneError):
            explore.pressed(made)


@given(st.lists(ODD, min_size=5, max_size=5, unique=True), st.lists(ODD, min_size=5, max_size=5, unique=True), ODD)
def test_no_value_and_no_prompt_breaks_discords_limits(columns: list[str], rows: list[str], prompt: str) -> None:
    made = cells(tuple(columns), tuple(rows), prompt=prompt * 20)
    made[0] = replace(made[0], state=State.FAILED, failure=Failure("no! " * 999, "why? " * 999), result=None)
    card = shown(made)
    assert card.embed is not None
    assert len(card.embed.description or "") <= 4096
    assert len(card.embed) <= 6000
    assert len(card.files[0].description) <= 1024
    labels = menu(card)
    assert len(labels) == 24
    assert all(1 <= len(label) <= 100 for label in labels)
    counted = explore.counted(cards.waiting(made[0], None), made[0], 1, 25, 0.1, waits=True)
    assert counted.embed is not None
    assert len(counted.embed.description or "") <= 4096
    explore.settings(made, "en")
