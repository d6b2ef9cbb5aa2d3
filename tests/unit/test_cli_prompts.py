"""What a prompt file and the options of ``easel draw`` and ``easel batch`` mean."""

from pathlib import Path

import pytest

from bot.cli import prompts
from bot.cli.choices import Choices
from bot.cli.prompts import Line, Mark, WrongError
from bot.domain.errors import RequestError
from bot.domain.options import Options
from bot.domain.request import Control, Hires, Lora, Mask, Refiner, Workflow

NOTHING = Choices()


def read(text: str, base: Choices = NOTHING) -> list[Line]:
    return prompts.read(text, base)


def problems(text: str) -> list[str]:
    with pytest.raises(WrongError) as caught:
        prompts.check(read(text), Options(), lambda _: None)
    return str(caught.value).splitlines()


def test_every_line_is_a_prompt_but_for_empty_ones_and_comments() -> None:
    found = read("a cat\n\n  # not this\n  a dog, 3:2, <lora:x:1>  \n")
    assert [(line.number, line.prompt) for line in found] == [(1, "a cat"), (4, "a dog, 3:2, <lora:x:1>")]


def test_a_line_lays_its_own_options_over_those_of_the_command() -> None:
    base = Choices(steps=10, size="512x768", negative="ugly")
    (line,) = read('a cat --steps 30 --seed 5 --width 640 --negative "blurry, dark"', base)
    assert line.prompt == "a cat"
    order = line.choices.request(line.prompt, seed=5, defaults=Options())
    assert (order.steps, order.negative_prompt, order.width, order.height) == (30, "blurry, dark", 640, 768)


def test_a_size_in_a_line_covers_the_sides_of_the_command() -> None:
    (line,) = read("a cat --size 512x640", Choices(width=1024, height=1024))
    order = line.choices.request(line.prompt, seed=5, defaults=Options())
    assert (order.width, order.height) == (512, 640)


def test_the_webuis_own_words_for_options_are_understood() -> None:
    (line,) = read('--prompt "a fox --ar" --negative_prompt bad --cfg_scale 5 --sampler_name "Euler a" --n_iter 2')
    assert line.prompt == "a fox --ar"
    assert line.choices == Choices(negative="bad", cfg=5.0, sampler="Euler a", count=2)


def test_what_is_wrong_is_told_of_all_lines_at_once() -> None:
    with pytest.raises(WrongError) as caught:
        read('a cat --stesp 4\na dog\na fox --negative "x')
    first, second = str(caught.value).splitlines()
    assert first.startswith("line 1: No such option: --stesp")
    assert "--steps" in first
    assert second == "line 3: No closing quotation."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--steps 1000", "Choose steps between 1 and 150."),
        ("--size huge", "--size takes width x height, such as 768x512, or one of 1:1, 2:3, 3:2, 9:16, 16:9."),
        ("--width 16", "Choose width between 64 and 8192."),
        ("--size 8192x4096", "at most 16.8 megapixels"),
        ("--lora x:much", "--lora: “much” is no number."),
        ("--strength 0.5", "--strength goes with --image only"),
        ("--hires-steps 5", "--hires-steps goes with --hires only"),
        ("--set a=1", "--set goes with --workflow only"),
        ("--workflow w --set a", "--set takes key=value."),
        ("--image gone.png", "gone.png is no file that can be read."),
        ("--control pose.png", "--control takes file:model"),
        ("--clip-skip 0", "clip_skip 0 is outside"),
        ("--hires 4 --size 4096x512", "16384×2048 is more than a picture may have"),
    ],
)
def test_what_cannot_be_is_refused_in_words(options: str, words: str) -> None:
    (line,) = problems(f"a cat {options}")
    assert line.startswith("line 1: ")
    assert words in line


def test_only_so_many_problems_are_told() -> None:
    told = problems("a cat --steps 0\n" * 25)
    assert (len(told), told[-1]) == (21, "… and 5 more.")


def test_every_option_has_its_place_in_the_order(tmp_path: Path) -> None:
    for name in ("in.png", "mask.png", "pose.png"):
        (tmp_path / name).touch()
    choices = Choices(
        negative="bad",
        model="m",
        size="3:2",
        count=2,
        steps=9,
        cfg=3.5,
        sampler="Euler",
        scheduler="Karras",
        lora=["a:b:0.5", "c"],
        vae="v",
        clip_skip=2,
        style=["s"],
        tiling=True,
        restore_faces=True,
        hires=1.5,
        hires_upscaler="Latent",
        hires_strength=0.4,
        refiner="r:0.7",
        image=tmp_path / "in.png",
        strength=0.3,
        mask=tmp_path / "mask.png",
        control=[f"{tmp_path / 'pose.png'}:openpose:dw:0.8"],
    )
    order = choices.request("a cat", seed=7, defaults=Options(width=512, height=512, steps=25))
    assert (order.prompt, order.seed, order.negative_prompt, order.model) == ("a cat", 7, "bad", "m")
    assert (order.width, order.height, order.count, order.steps, order.cfg_scale) == (640, 448, 2, 9, 3.5)
    assert (order.sampler, order.scheduler, order.vae, order.clip_skip) == ("Euler", "Karras", "v", 2)
    assert (order.loras, order.styles) == ((Lora("a:b", 0.5), Lora("c")), ("s",))
    assert (order.tiling, order.restore_faces) == (True, True)
    assert (order.hires, order.refiner) == (Hires(1.5, "Latent", 0, 0.4), Refiner("r", 0.7))
    assert (order.init_image, order.strength) == (str(tmp_path / "in.png"), 0.3)
    assert order.mask == Mask(str(tmp_path / "mask.png"))
    assert order.controls == (Control(str(tmp_path / "pose.png"), "openpose", "dw", 0.8),)


def test_a_workflow_is_given_values_as_json_or_as_text() -> None:
    order = Choices(workflow="w", set_=["strength=0.5", "mode=fast", 'on={"a": true}']).request(
        "a cat", seed=1, defaults=Options()
    )
    assert order.workflow == Workflow("w", {"strength": 0.5, "mode": "fast", "on": {"a": True}})


def test_the_hosts_defaults_stand_under_all_that_was_chosen() -> None:
    order = Choices(width=640).request("a cat", seed=1, defaults=Options(width=512, height=768, sampler="DDIM"))
    assert (order.width, order.height, order.sampler) == (640, 768, "DDIM")


def test_seeds_are_drawn_from_the_runs_own_and_chosen_ones_count_on() -> None:
    lines = read("a cat\na dog --seed 5\na fox --seed 4294967295 --count 2\nan owl --seed -1")
    first = {ticket.mark: ticket.seed for ticket in prompts.tickets(lines, 1, 2, 1)}
    again = {ticket.mark: ticket.seed for ticket in prompts.tickets(lines, 1, 2, 1)}
    other = {ticket.mark: ticket.seed for ticket in prompts.tickets(lines, 2, 2, 1)}
    assert first == again
    assert first[Mark(1, 1)] not in {first[Mark(1, 2)], first[Mark(4, 1)], other[Mark(1, 1)]}
    assert (first[Mark(2, 1)], first[Mark(2, 2)], first[Mark(3, 2)]) == (5, 6, 1)


def test_a_run_has_the_name_of_its_prompts_and_choices() -> None:
    names = {
        prompts.name(text, choices, defaults, pictures)
        for text, choices, defaults, pictures in (
            ("a cat", NOTHING, Options(), []),
            ("a dog", NOTHING, Options(), []),
            ("a cat", Choices(steps=3), Options(), []),
            ("a cat", NOTHING, Options(steps=3), []),
            ("a cat", NOTHING, Options(), [b"picture"]),
        )
    }
    assert len(names) == 5
    assert prompts.name("a cat", NOTHING, Options(), []) in names


def test_a_key_of_the_queue_says_which_order_it_is() -> None:
    mark = Mark(17, 2)
    assert mark.key("ab12") == "c:ab12:17-2"
    assert Mark.of("c:ab12:17-2") == mark


def test_an_empty_prompt_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(RequestError, match="The prompt is empty"):
        NOTHING.request(" ", seed=1, defaults=Options())
