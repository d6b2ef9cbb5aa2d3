"""``easel batch`` over servers that come and go, and after any end: nothing twice, nothing lost."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli import prompts, runs, shelves
from bot.cli.choices import Choices
from bot.cli.runs import Outcome
from bot.cli.sessions import Session
from bot.domain.errors import BotError
from bot.domain.options import Options
from bot.settings_loading import load
from tests.standins.webui import Fault, StandInWebUI, png
from tests.whole.terminal import SMALL, empty_place, index, orders, pictures

__all__ = ["empty_place"]

ROOT = Path(__file__).parents[2]
TXT2IMG = "/sdapi/v1/txt2img"


def session(place: Path, lines: str, backends: str, *options: str, timeout_s: float | None = None) -> Session:
    settings = load({"EASEL_BACKENDS": backends}, None, needs_token=False)
    base = prompts.read(" ".join(["x", *SMALL, *options]), Choices())[0].choices
    return Session(settings, prompts.read(lines, base), place / "art" / ".easel" / "run", timeout_s, quiet=True)


async def batch(made: Session, place: Path, repeat: int | None = 1, stop: asyncio.Event | None = None) -> Outcome:
    (place / "art").mkdir(exist_ok=True)
    return await made.batch(stop or asyncio.Event(), place / "art", "run", repeat)


@asynccontextmanager
async def meanwhile(work: Awaitable[Outcome]) -> AsyncIterator["asyncio.Future[Outcome]"]:
    running = asyncio.ensure_future(work)
    try:
        yield running
    finally:
        await running


async def painted(place: Path, count: int) -> None:
    async with asyncio.timeout(40):
        while len(pictures(place / "art")) < count:  # noqa: ASYNC110 - files have no events
            await asyncio.sleep(0.01)


async def test_what_was_chosen_reaches_the_server(place: Path) -> None:
    async with StandInWebUI() as server:
        options = ("--cfg", "5", "--sampler", "Euler", "--model", "dreamshaper_8", "--lora", "add-detail:0.5")
        made = session(place, "a cat --negative bad --seed 9", f"webui={server.url}", *options)
        assert (await batch(made, place)).complete
        (sent,) = server.posts(TXT2IMG)
    assert (sent["negative_prompt"], sent["seed"], sent["cfg_scale"], sent["steps"]) == ("bad", 9, 5.0, 3)
    assert sent["sampler_name"] == "Euler"
    assert sent["prompt"] == "a cat <lora:add-detail:0.5>"
    assert pictures(place / "art") == ["1-1-1-9.png"]


async def test_a_source_picture_gives_the_size_unless_one_is_chosen(place: Path) -> None:
    (place / "in.png").write_bytes(png(300, 150, 1))
    async with StandInWebUI() as server:
        made = session(place, "a cat --image in.png --strength 0.4", f"webui={server.url}")
        free = Choices(image=place / "in.png", strength=0.4, steps=3)
        outcome = await made.draw(asyncio.Event(), place)
        assert outcome.complete
        assert not outcome.failed
        made = Session(made.settings, [prompts.Line(0, "a cat", free)], made.state, None, quiet=True)
        await made.draw(asyncio.Event(), place)
        first, second = server.posts("/sdapi/v1/img2img")
    assert (first["width"], first["height"], first["denoising_strength"]) == (64, 64, 0.4)
    assert (second["width"], second["height"]) == (704, 384)


async def test_every_picture_an_order_names_is_read_once_and_stored(place: Path) -> None:
    for seed, name in enumerate(("in.png", "mask.png", "pose.png")):
        (place / name).write_bytes(png(64, 64, seed))
    made = session(place, "a cat --image in.png --mask mask.png --control pose.png:m", "sketch=0")
    control = session(place, "a cat --control pose.png:m", "sketch=0")
    async with made._opened() as base:
        sources = runs.Sources(base)
        wanted = [each.lines[0].choices.request("a cat", seed=1, defaults=Options()) for each in (made, control)]
        order, other = [await sources.fill(request, free_size=True) for request in wanted]
        for blob in (*order.images(), *other.images()):
            assert (await base.blobs.get(blob)).startswith(b"\x89PNG")
        (place / "pose.png").unlink()
        assert await sources.fill(wanted[1], free_size=True) == other
        for n in range(64):
            (place / f"{n}.png").write_bytes(png(8, 8, n))
            await sources.fill(replace(wanted[0], init_image=f"{n}.png", mask=None, controls=()), free_size=False)
        with pytest.raises(BotError, match=r"pose\.png cannot be read"):
            await sources.fill(wanted[1], free_size=True)
    assert len(order.images()) == 3
    assert sources.blobs.isdisjoint(other.images())


async def test_a_line_that_fails_is_told_at_the_end_and_tried_again_by_the_next_run(place: Path) -> None:
    async with StandInWebUI() as server:
        server.fault, server.faults = Fault.OUT_OF_MEMORY, 1
        made = session(place, "a cat\na dog", f"webui={server.url}")
        outcome = await batch(made, place, repeat=9)
        (words,) = outcome.told()
        assert words.startswith("line 1: ")
        assert "ran out of graphics memory" in words
        assert {f"2-{n}" for n in range(1, 10)} <= set(orders(place / "art"))
        assert {"1-1", "1-9"}.isdisjoint(orders(place / "art"))
        assert [entry["line"] for entry in index(place / "art") if "error" in entry] == [1]
        again = await batch(made, place, repeat=9)
    assert (again.told(), len(orders(place / "art"))) == ([], 18)


async def test_a_server_that_goes_away_in_the_middle_is_waited_for(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with StandInWebUI(step_s=0.02) as server:
        made = session(place, "a cat\na dog\na fox\nan owl", f"webui={server.url}")
        async with meanwhile(batch(made, place)) as running:
            await painted(place, 1)
            await server.stop()
            waiting = ""
            while "Waiting for a painter. " not in waiting:
                waiting += capsys.readouterr().err
                await asyncio.sleep(0.01)
            await server.start()
        assert not (await running).failed
    assert orders(place / "art") == ["1-1", "2-1", "3-1", "4-1"]


async def test_a_server_that_stays_away_ends_the_run_and_keeps_what_there_is(place: Path) -> None:
    async with StandInWebUI(step_s=0.02) as server:
        lines, backends = "a cat\na dog\na fox", f"webui={server.url}"
        async with meanwhile(batch(session(place, lines, backends, timeout_s=4.0), place)) as running:
            await painted(place, 1)
            await server.stop()
        assert (await running).unreachable
        before = orders(place / "art")
        await server.start()
        assert (await batch(session(place, lines, backends), place)).complete
    assert before[0] == "1-1"
    assert orders(place / "art") == ["1-1", "2-1", "3-1"]


async def test_the_backends_may_be_others_when_a_batch_goes_on(place: Path) -> None:
    async with StandInWebUI(step_s=0.03) as server:
        lines = "a cat --model dreamshaper_8\n" * 4
        made = session(place, lines, f"webui={server.url} name=one, sketch=0")
        stop = asyncio.Event()
        async with meanwhile(batch(made, place, stop=stop)) as running:
            await painted(place, 1)
            stop.set()
        assert (await running).interrupted
        made = session(place, lines, f"webui={server.url} name=two")
        assert (await batch(made, place)).complete
        assert len(server.posts(TXT2IMG)) in {4, 5}
    assert orders(place / "art") == ["1-1", "2-1", "3-1", "4-1"]


async def test_a_picture_that_was_lost_before_it_was_kept_is_painted_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = session(place, "a cat --seed 3", "sketch=0")

    async def lost(*_: object) -> list[Path]:
        shutil.rmtree(made.state / "blobs")
        raise BotError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(shelves.Gallery, "keep", lost)
        with pytest.raises(ExceptionGroup):
            await batch(made, place)
    assert (await batch(made, place)).complete
    assert pictures(place / "art") == ["1-1-1-3.png"]


async def test_originals_that_are_in_their_files_do_not_fill_the_disk(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SWEEP_S", 0.05)
    (place / "in.png").write_bytes(png(64, 64, 1))
    made = session(place, "a cat --image in.png\n" * 20, "sketch=0.01")
    most = 0
    async with meanwhile(batch(made, place)) as running:
        while not running.done():
            most = max(most, len(list(made.state.glob("blobs/??/*"))))
            await asyncio.sleep(0.02)
    assert not (await running).failed
    assert 1 < most < 15


async def test_forever_goes_round_with_new_seeds_until_it_is_stopped_and_goes_on_from_there(place: Path) -> None:
    made = session(place, "a cat\na dog", "sketch=0")
    for rounds in (3, 6):
        stop = asyncio.Event()
        async with meanwhile(batch(made, place, None, stop)) as running:
            await painted(place, 2 * rounds)
            stop.set()
        assert (await running).interrupted
    found = orders(place / "art")
    assert len(found) == len(set(found)) == len(index(place / "art")) - 1
    assert {f"1-{n}" for n in range(1, 7)} <= set(found)
    seeds = [entry["seeds"][0] for entry in index(place / "art")[1:]]
    assert len(seeds) == len(set(seeds))


async def test_the_queue_holds_only_a_few_of_many_orders(place: Path) -> None:
    made = session(place, "a cat\n" * 20, "sketch=0.01")
    held = []
    async with meanwhile(batch(made, place)) as running:
        await painted(place, 1)
        queue = sqlite3.connect(made.state / "easel.sqlite3")
        while not running.done():
            held.append(queue.execute("SELECT count(*) FROM jobs").fetchone()[0])
            await asyncio.sleep(0.02)
        queue.close()
    assert len(pictures(place / "art")) == 20
    assert 1 < max(held) <= 4


@asynccontextmanager
async def process(place: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_killed_and_interrupted_a_batch_goes_on_and_each_file_is_made_once(place: Path) -> None:
    (place / "p.txt").write_text("\n".join(f"prompt {n}" for n in range(8)))
    command = ("batch", "p.txt", "-o", "art", *SMALL, "--repeat", "2", "--backends", "sketch=0.2 slots=2")
    told: list[bytes] = []
    for number in (signal.SIGKILL, signal.SIGINT):
        before = len(pictures(place / "art"))
        async with process(place, *command) as run:
            await painted(place, before + 4)
            run.send_signal(number)
            out, errors = await run.communicate()
            told += out.splitlines()
        assert run.returncode == (130 if number == signal.SIGINT else -number)
    assert errors.decode().splitlines()[-1] == "Stopped. Run the same command again to go on."
    assert len(pictures(place / "art")) < 16
    async with process(place, *command) as run:
        out, _ = await run.communicate()
    assert run.returncode == 0
    told += out.splitlines()
    assert len(set(told)) == 16
    assert len(told) <= 16 + 2, "a slot's file may be told again, if it was killed before it wrote that down"
    assert orders(place / "art") == sorted(f"{line}-{n}" for line in range(1, 9) for n in (1, 2))
    done = [(entry["line"], entry["repetition"]) for entry in index(place / "art")[1:]]
    assert len(done) == len(set(done)) == 16
    assert not (place / "art" / ".easel").exists()


async def test_a_reader_of_the_paths_that_goes_away_stops_nothing(place: Path) -> None:
    (place / "p.txt").write_text("a cat\n" * 4)
    async with process(place, "batch", "p.txt", "-o", "art", *SMALL, "-q", "--backends", "sketch=0.05") as run:
        assert run._transport is not None  # type: ignore[attr-defined]  # asyncio gives no other way to the pipe
        run._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        assert await run.wait() == 0
        assert run.stderr is not None
        assert await run.stderr.read() == b""
    assert len(pictures(place / "art")) == 4
