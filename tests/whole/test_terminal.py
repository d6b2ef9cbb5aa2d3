"""``easel draw`` and ``easel batch`` as people meet them: files, words, exit codes, and going on after any end."""

import errno
import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress as Bars
from typer.testing import CliRunner, Result

from bot import cli
from bot.backends.sketch.painter import Sketch
from bot.cli import screens, shelves
from bot.cli.shelves import Single
from bot.domain import infotext
from bot.domain.job import Picture, State
from bot.domain.job import Result as Painted
from bot.domain.ports import Progress
from bot.imaging import pngtext
from bot.settings_loading import load
from tests.standins.webui import png
from tests.unit.ui_jobs import job
from tests.whole.terminal import SMALL, empty_place, index, orders, pictures

__all__ = ["empty_place"]


def easel(*arguments: str, given: str | None = None, **environ: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, input=given, env=environ, prog_name="easel")


# ---- draw ----


def test_a_picture_is_drawn_into_the_file_that_is_named() -> None:
    result = easel("draw", "a cat", *SMALL, "--seed", "7", "-o", "art/cat.png", "--backends", "sketch=0")
    assert (result.exit_code, result.stdout) == (0, "art/cat.png\n")
    recipe = infotext.parse(pngtext.read(Path("art/cat.png").read_bytes()))
    assert (recipe.prompt, recipe.seed, recipe.fields["Steps"]) == ("a cat", 7, "3")
    assert [path.name for path in Path().rglob("*")] == ["art", "cat.png"]


def test_several_pictures_are_numbered_or_named_by_their_seeds() -> None:
    several = ("draw", "a cat", *SMALL, "--seed", "7", "--count", "2")
    assert easel(*several, "-o", "v1.5", EASEL_BACKENDS="sketch=0").stdout == "v1.5-1.png\nv1.5-2.png\n"
    assert easel(*several, EASEL_BACKENDS="sketch=0").stdout == "easel-7.png\neasel-8.png\n"


def test_pictures_named_by_their_seeds_do_not_overwrite_others_of_the_same_seed() -> None:
    def draw(prompt: str) -> str:
        return easel("draw", prompt, *SMALL, "--seed", "7", EASEL_BACKENDS="sketch=0").stdout

    assert [draw("a cat"), draw("a dog"), draw("a fox"), draw("a dog")] == [
        "easel-7.png\n",
        "easel-7-2.png\n",
        "easel-7-3.png\n",
        "easel-7-2.png\n",
    ]
    assert infotext.parse(pngtext.read(Path("easel-7.png").read_bytes())).prompt == "a cat"


async def test_a_picture_of_another_kind_gets_its_own_suffix(place: Path) -> None:
    made = Painted((Picture("b", "image/jpeg", 64, 64, 7, "a cat\nSteps: 3"),), "gpu", 1.0)
    assert await Single(place / "cat.png").keep(job(state=State.PAINTED, result=made), [b"JPEG"]) == [
        place / "cat.jpg"
    ]
    assert (place / "cat.jpg").read_bytes() == b"JPEG"


async def test_the_recipe_is_put_into_a_png_that_came_without(place: Path) -> None:
    made = Painted((Picture("b", "image/png", 64, 64, 7, "a cat\nSteps: 3"),), "gpu", 1.0)
    (file,) = await Single(place / "cat.png").keep(job(state=State.PAINTED, result=made), [png(8, 8, 1)])
    assert pngtext.read(file.read_bytes()) == "a cat\nSteps: 3"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--sampler", "Eulre"), 78, "There is no sampler “Eulre” here. The nearest is “Euler”."),
        (("--vae", "x"), 78, "No backend here has any vae to choose."),
        (("--tiling",), 78, "No backend here has tiling. Leave it out and ask again."),
        (("--steps", "0"), 78, "steps 0 is outside what is allowed here. Choose steps between 1 and 150."),
        (("--backends", "skech"), 78, "EASEL_BACKENDS, entry 1 must begin with a kind of backend"),
        (("-o", "file/cat.png"), 78, "--out: file cannot be written"),
        (("--stesp", "3"), 2, "No such option: --stesp"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_once(arguments: tuple[str, ...], code: int, words: str) -> None:
    Path("file").touch()
    result = easel("draw", "a cat", *arguments, EASEL_BACKENDS="sketch=0")
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_backend_that_is_not_there_is_waited_for_as_long_as_was_said() -> None:
    result = easel("draw", "a cat", "--backends", "webui=http://127.0.0.1:9", "--timeout", "2")
    assert result.exit_code == 69
    first, *_, last = result.stderr.splitlines()
    assert first.startswith("Waiting for a painter. webui-1 cannot be reached. Is it started, and are address")
    assert last == "No backend could be reached in time. Stopped."


def test_passwords_of_the_settings_go_to_no_backend_of_the_command_line() -> None:
    environ = {"EASEL_BACKENDS": "webui=http://gpu", "EASEL_BACKEND_1_AUTH": "me:mine"}
    (address,) = load({**environ, "DISCORD_TOKEN": "x"}, None).backend_addresses
    assert address.auth == ("me", "mine")
    assert easel("draw", "a cat", *SMALL, "--backends", "sketch=0", **environ).exit_code == 0


# ---- batch ----


def test_a_file_of_prompts_becomes_a_folder_with_an_index() -> None:
    Path("p.txt").write_text('# two\na cat\n\na dog --seed 5 --negative "blurry"\n', encoding="utf-8-sig")
    result = easel("batch", "p.txt", "-o", "art", *SMALL, "--repeat", "2", "--backends", "sketch=0 slots=2")
    assert result.exit_code == 0, result.stderr
    assert orders(Path("art")) == ["2-1", "2-2", "4-1", "4-2"]
    assert sorted(result.stdout.splitlines()) == [f"art/{name}" for name in pictures(Path("art"))]
    assert {"4-1-1-5.png", "4-2-1-6.png"} <= set(pictures(Path("art")))
    head, *entries = index(Path("art"))
    assert set(head) == {"run", "seed", "at"}
    (entry,) = (entry for entry in entries if (entry["line"], entry["repetition"]) == (4, 2))
    assert (entry["prompt"], entry["files"], entry["seeds"]) == ("a dog", ["4-2-1-6.png"], [6])
    assert sorted(result.stderr.split()) == ["1/4", "2/4", "3/4", "4/4"]
    assert sorted(path.name for path in Path("art").iterdir()) == [*pictures(Path("art")), "index.jsonl"]
    recipe = infotext.parse(pngtext.read(Path("art/4-1-1-5.png").read_bytes()))
    assert (recipe.prompt, recipe.negative_prompt) == ("a dog", "blurry")


def test_prompts_come_from_stdin_and_quiet_shows_files_alone() -> None:
    arguments = ("batch", "-", "-o", "art", *SMALL, "--seed", "3", "-q")
    result = easel(*arguments, given="a cat\n", EASEL_BACKENDS="sketch=0")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "art/1-1-1-3.png\n", "")


def test_a_batch_that_is_done_paints_only_what_was_deleted_since_and_the_same_again() -> None:
    command = ("batch", "-", "-o", "art", *SMALL, "--backends", "sketch=0")
    easel(*command, given="a cat\na dog\n")
    lost, kept = pictures(Path("art"))
    data = Path("art", lost).read_bytes()
    Path("art", lost).unlink()
    assert easel(*command, given="a cat\na dog\n").stdout == f"art/{lost}\n"
    assert Path("art", lost).read_bytes() == data
    assert easel(*command, given="a cat\na dog\n").stderr == "All was done before.\n"
    more = easel(*command, "--repeat", "2", given="a cat\na dog\n")
    assert more.stderr.startswith("2 done before; going on.")
    assert pictures(Path("art"))[::2] == [lost, kept]
    assert orders(Path("art")) == ["1-1", "1-2", "2-1", "2-2"]


def test_two_batches_in_one_folder_overwrite_nothing_of_each_other() -> None:
    command = ("batch", "-", "-o", "art", *SMALL, "--seed", "3", "--backends", "sketch=0")
    easel(*command, given="a cat\n")
    cat = Path("art/1-1-1-3.png").read_bytes()
    (dog,) = easel(*command, given="a dog\n").stdout.split()
    assert dog == f"art/1-1-1-3-{index(Path('art'))[-1]['run']}.png"
    assert Path("art/1-1-1-3.png").read_bytes() == cat != Path(dog).read_bytes()
    assert easel(*command, given="a dog\n").stdout == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a cat\na dog --steps 1000\na fox --stesp 1", "line 3: No such option: --stesp"),
        ("a cat\na dog --steps 1000", "line 2: steps 1000 is outside"),
        ("a cat\na dog --model nixe", "line 2: There is no model “nixe” here."),
        ("# nothing", "-: there are no prompts in it."),
        ("a cat\n\udcff", "-, line 2: this is no UTF-8"),
    ],
)
def test_a_file_with_a_mistake_paints_nothing_and_names_the_line(given: str, words: str) -> None:
    data = given.encode("utf-8", "surrogateescape")
    command = ("batch", "-", "-o", "art", *SMALL, "--backends", "sketch=0")
    result = CliRunner().invoke(cli.app, command, input=data, prog_name="easel")
    assert result.exit_code == 78
    assert words in result.stderr
    assert not [path for path in Path().rglob("*") if path.name != "art"]


def test_an_order_that_fails_is_told_with_its_reason() -> None:
    Path("no.png").write_text("no picture")
    result = easel("draw", "a cat", *SMALL, "--image", "no.png", "--backends", "sketch=0", "-q")
    reason = "no.png: This file is not a picture that can be read. Use a PNG, JPEG, WebP or GIF file.\n"
    assert (result.exit_code, result.stderr) == (1, reason)
    given = "a cat\na dog --image no.png\na fox"
    result = easel("batch", "-", "-o", "art", *SMALL, "--backends", "sketch=0", "-q", given=given)
    assert (result.exit_code, result.stderr) == (1, f"line 2: {reason}")
    assert orders(Path("art")) == ["1-1", "3-1"]


def test_a_full_disk_ends_the_batch_in_words_and_what_was_painted_is_not_painted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    command = ("batch", "-", "-o", "art", *SMALL, "--seed", "3", "-q")
    with monkeypatch.context() as broken:
        broken.setattr(shelves, "_write", full)
        result = easel(*command, "--backends", "sketch=0", given="a cat\n")
    assert result.exit_code == 69
    assert result.stderr.startswith("The pictures cannot be kept: No space left on device. Mend that")
    monkeypatch.setattr(Sketch, "generate", full)
    assert easel(*command, "--backends", "sketch=0", given="a cat\n").stdout == "art/1-1-1-3.png\n"


def test_a_file_that_is_not_there_is_a_sentence() -> None:
    result = easel("batch", "gone.txt")
    assert (result.exit_code, result.stderr) == (78, "gone.txt cannot be read (No such file or directory).\n")


def test_a_line_that_an_older_run_tore_off_the_index_does_no_harm() -> None:
    command = ("batch", "-", "-o", "art", *SMALL, "--backends", "sketch=0")
    easel(*command, given="a cat\n")
    with Path("art/index.jsonl").open("a") as torn:
        torn.write('{"run": "ab')
    (name,) = pictures(Path("art"))
    Path("art", name).unlink()
    assert easel(*command, given="a cat\n").stdout == f"art/{name}\n"
    assert easel(*command, given="a cat\n").stdout == ""


# ---- what is shown ----


def test_bars_show_the_whole_and_each_running_job() -> None:
    paper = io.StringIO()
    bars = Bars(console=Console(file=paper, force_terminal=True, width=120))
    shown = screens.Barred(bars, "Painting")
    shown.progressed(7, Progress(0.5))
    shown.begin(1, 3)
    running = job(state=State.RUNNING, backend="gpu1")
    shown.changed(running)
    shown.changed(running)
    shown.progressed(7, Progress(0.5, 5, 10, 2.0))
    titles = [(task.description, task.completed, task.total, task.fields["note"]) for task in bars.tasks]
    assert titles == [("Painting", 1, 3, ""), ("  gpu1: a quiet harbour", 5.0, 10, "2 s left")]
    shown.changed(job(state=State.QUEUED))
    shown.settled()
    shown.say("[bold] is no markup")
    assert [(task.description, task.completed) for task in bars.tasks] == [("Painting", 2)]
    assert "[bold] is no markup" in paper.getvalue()


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    with screens.screen("Painting", quiet=False) as shown:
        shown.begin(0, 2)
        shown.settled()
    assert "Painting" in terminal.getvalue()
    assert "1/2" in terminal.getvalue()
