import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.backends import frames
from bot.backends.address import parse
from bot.backends.decoding import Decoder
from bot.backends.diffusers import process
from bot.backends.diffusers.client import Diffusers
from bot.backends.factory import Workshop, build
from bot.backends.wire import Pace
from bot.domain import infotext
from bot.domain.capability import Feature, Listing
from bot.domain.errors import (
    BackendError,
    BackendTimeoutError,
    LostError,
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
    UnreachableError,
)
from bot.domain.ports import Progress
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.imaging import pngtext
from bot.imaging.imaging import Imaging
from tests.wire.workbench import order

Maker = Callable[..., Diffusers]
PRELUDE = f"""#!{sys.executable}
import json, struct, sys, time
def tell(**header):
    text = json.dumps({{**header, "sizes": []}}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(text)) + text)
    sys.stdout.buffer.flush()
def ready(device="cpu"):
    tell(**{{"is": "ready", "device": device, "precision": "float32", "kin": "an actor"}})
"""


@pytest.fixture
async def make() -> AsyncIterator[Maker]:
    imaging, decoder, made = Imaging(threads=1), Decoder(), []

    def make(source: object, options: str = "device=cpu", pace: Pace | None = None) -> Diffusers:
        workshop = Workshop(time.monotonic, imaging, decoder, pace or Pace())
        (backend,) = build(parse(f"diffusers={source} name=own {options}"), workshop)
        assert isinstance(backend, Diffusers)
        made.append(backend)
        return backend

    yield make
    for backend in made:
        await backend.close()
    await imaging.close()
    await decoder.close()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "cat.safetensors"
    path.write_bytes(b"")
    return path


@pytest.fixture
def actor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a script play the painting process."""

    def play(script: str) -> None:
        path = tmp_path / "actor"
        path.write_text(PRELUDE + script, encoding="utf-8")
        path.chmod(0o700)
        monkeypatch.setattr(process, "NEEDED", ())
        monkeypatch.setattr(sys, "executable", str(path))

    return play


async def painted(backend: Diffusers, request: PaintRequest, task: str = "1-1", **images: bytes) -> list[bytes]:
    answer = await backend.generate(request, task=task, images=images, on_progress=lambda _: None)
    return [picture.data for picture in (await answer.painting()).pictures]


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models this small spend their time in waiting for threads."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.usefixtures("one_thread")
async def test_jobs_are_painted_cancelled_and_survive_the_death_of_their_process(
    make: Maker, tmp_path: Path
) -> None:
    pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed: make diffusers")
    from tests.standins.tiny_diffusers import make_tiny_models  # noqa: PLC0415 - it needs the extra

    tiny = await asyncio.to_thread(make_tiny_models, tmp_path / "all")
    backend = make(tiny.folder, "device=cpu slots=2")
    await backend.health()
    known = await backend.capabilities()
    assert known.listings[Listing.MODELS] == ("other", "single", "tiny", "tiny-xl")
    assert (known.listings[Listing.LORAS], known.listings[Listing.CONTROL_MODELS]) == (("tint",), ("edges",))
    assert known.facts == {"device": "cpu", "precision": "float32"}
    assert known.kin.startswith("diffusers ")
    assert Feature.CONTROL in known.features

    told: list[Progress] = []
    request = order(model="tiny", count=2)
    answer = await backend.generate(request, task="1-1", images={}, on_progress=told.append)
    painting = await answer.painting()
    assert (painting.model, painting.sampler, painting.scheduler) == ("tiny", "DPM++ 2M", "Automatic")
    assert [(p.width, p.height, p.seed, p.media_type) for p in painting.pictures] == [
        (64, 64, 5, "image/png"),
        (64, 64, 6, "image/png"),
    ]
    recipe = infotext.parse(pngtext.read(painting.pictures[1].data))
    assert (recipe.prompt, recipe.seed, recipe.fields["Model"]) == ("a cat", 6, "tiny")
    assert (told[-1].fraction, told[-1].step, told[-1].steps) == (1, 4, 4)
    assert (await backend.capabilities()).loaded_model == "tiny"

    with pytest.raises(OutOfMemoryError, match="graphics memory"):
        await painted(backend, order(width=1 << 25, height=1 << 25))
    await _one_of_two_is_cancelled(backend)
    await _its_death_is_told(backend)


async def _one_of_two_is_cancelled(backend: Diffusers) -> None:
    begun = asyncio.Event()
    endless = asyncio.create_task(
        backend.generate(order(steps=999), task="2-1", images={}, on_progress=lambda _: begun.set())
    )
    await begun.wait()
    waiting = asyncio.create_task(painted(backend, order(), "3-1"))
    await asyncio.sleep(0)
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless
    assert len(await waiting) == 1


async def _its_death_is_told(backend: Diffusers) -> None:
    life = backend._process._life
    assert life is not None
    begun = asyncio.Event()
    doomed = asyncio.create_task(
        backend.generate(order(steps=999), task="4-1", images={}, on_progress=lambda _: begun.set())
    )
    await begun.wait()
    os.kill(life._process.pid, signal.SIGKILL)
    with pytest.raises(LostError, match="connection to own broke"):
        await doomed
    assert len(await painted(backend, order())) == 1
    assert backend._process._life is not life


@pytest.mark.usefixtures("one_thread")
async def test_a_bot_that_is_killed_leaves_no_painter_behind(tmp_path: Path) -> None:
    pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed: make diffusers")
    from tests.standins.tiny_diffusers import make_tiny_models  # noqa: PLC0415 - it needs the extra

    tiny = await asyncio.to_thread(make_tiny_models, tmp_path / "all")
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOT, str(tiny.folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert bot.stdout is not None
    painter = int(await bot.stdout.readline())
    assert _lives(painter)
    bot.kill()
    await bot.communicate()
    for _ in range(200):
        if not _lives(painter):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the painting process outlived the bot")


BOT = """
import asyncio, sys, time
from bot.backends.address import parse
from bot.backends.decoding import Decoder
from bot.backends.factory import Workshop, build
from bot.domain.request import PaintRequest
from bot.imaging.imaging import Imaging
async def main():
    (own,) = build(parse(f"diffusers={sys.argv[1]} device=cpu"), Workshop(time.time, Imaging(), Decoder()))
    tell = lambda _: print(own._process._life._process.pid, flush=True)
    await own.generate(PaintRequest("a cat", 5, steps=999), task="1-1", images={}, on_progress=tell)
asyncio.run(main())
"""


def _lives(pid: int) -> bool:
    """Return whether a process runs; one that nobody has buried yet does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not (status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z")
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_without_the_extra_the_cure_is_named(
    make: Maker, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "NEEDED", ("no_such_package",))
    with pytest.raises(BackendError, match=r"make diffusers, or pip install '\.\[diffusers\]'"):
        await make(checkpoint).health()


async def test_a_source_without_a_model_is_named(make: Maker, tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nothing", "no hub id"):
        with pytest.raises(BackendError, match="finds no model: EASEL_BACKENDS must name"):
            await make(source).health()


async def test_a_device_that_is_not_there_is_named(
    make: Maker, checkpoint: Path, actor: Callable[[str], None]
) -> None:
    actor("tell(**{'is': 'unfit', 'device': 'cuda:7'})")
    with pytest.raises(BackendError, match="cannot use the device cuda:7"):
        await make(checkpoint, "device=cuda:7").health()


async def test_a_process_that_dies_at_its_start_is_started_again(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    backend = make(checkpoint)
    actor("sys.exit('no such driver' + 'x' * 5000)")
    with pytest.raises(UnreachableError, match="own ended while it started"):
        await backend.health()
    assert "no such driver" in capfd.readouterr().out
    actor("ready(); sys.stdin.read()")
    await backend.health()


async def test_a_process_that_cannot_be_started_is_told(
    make: Maker, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "NEEDED", ())
    monkeypatch.setattr(sys, "executable", str(checkpoint))
    with pytest.raises(UnreachableError, match="ended while it started"):
        await make(checkpoint).health()


async def test_what_a_dead_process_leaves_running_holds_nobody_up(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "END_S", 0.1)
    actor(
        "import subprocess; ready()\n"
        "subprocess.Popen(['sleep', '5'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)\n"
        "sys.stdin.buffer.read(4)"
    )
    backend = make(checkpoint)
    async with asyncio.timeout(4):
        for task in ("1-1", "1-2"):
            with pytest.raises(LostError):
                await painted(backend, order(), task)
        await backend.close()


async def test_only_the_bot_ends_its_painting_process(tmp_path: Path) -> None:
    pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed: make diffusers")
    painter = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        process._WORKER,
        json.dumps({"source": str(tmp_path), "device": "cpu", "cache_gb": 1, "slots": 1}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert painter.stdout is not None
    assert painter.stdin is not None
    said = await frames.receive(painter.stdout)
    assert said is not None
    painter.terminate()
    painter.send_signal(signal.SIGINT)
    await asyncio.sleep(0.3)
    assert painter.returncode is None
    painter.stdin.close()
    assert await painter.wait() == 0


async def test_a_process_that_never_gets_ready_is_ended(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor("time.sleep(60)")
    monkeypatch.setattr(process, "READY_S", 0.3)
    with pytest.raises(UnreachableError, match="does not answer"):
        await make(checkpoint).health()


async def test_a_process_that_does_not_end_with_its_input_is_ended(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor("ready(); time.sleep(60)")
    monkeypatch.setattr(process, "END_S", 0.1)
    backend = make(checkpoint)
    await backend.health()
    await backend.close()


@pytest.mark.parametrize(
    ("pace", "words"),
    [
        (Pace(stall_s=0.3, total_s=20.0), "took the job and then stood still"),
        (Pace(stall_s=20.0, total_s=0.3), "did not finish within"),
    ],
)
async def test_a_process_that_stands_still_is_told(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], pace: Pace, words: str
) -> None:
    actor("ready(); sys.stdin.buffer.read()")
    backend = make(checkpoint, pace=pace)
    with pytest.raises(BackendTimeoutError, match=words):
        await painted(backend, order())


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("memory", OutOfMemoryError, "ran out of graphics memory"),
        ("bug", ProtocolError, "its host finds more in the bot's log"),
        ("model", RejectedError, "cannot load the model “cat”"),
        ("family", RejectedError, "“cat” is of another kind"),
        ("configuration", RejectedError, "lacks the configuration"),
        ("lora", RejectedError, "The LoRA “cat” does not fit"),
        ("control", RejectedError, "The ControlNet “cat” does not fit"),
        ("nothing", RejectedError, "numbers that make no picture"),
    ],
)
async def test_its_troubles_are_told_in_words(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], kind: str, error: type[BackendError], words: str
) -> None:
    actor(
        "ready(); sys.stdin.buffer.read(4);"
        f"tell(**{{'is': 'trouble', 'id': '1-1', 'kind': '{kind}', 'about': 'cat'}}); sys.stdin.buffer.read()"
    )
    with pytest.raises(error, match=words) as caught:
        await painted(make(checkpoint), order())
    assert type(caught.value) is error


async def test_the_bots_secrets_stay_with_the_bot(
    make: Maker, checkpoint: Path, actor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2")
    monkeypatch.setenv("EASEL_BACKEND_1_AUTH", "hunter2")
    actor(
        "import os\n"
        "seen = [key for key, value in os.environ.items() if 'hunter2' in value]\n"
        "ready(f\"{seen} {os.environ['HF_HUB_OFFLINE']}\")\n"
        "sys.stdin.read()"
    )
    assert (await make(checkpoint).capabilities()).facts["device"] == "[] 1"


async def test_what_it_does_not_have_is_refused(make: Maker, checkpoint: Path) -> None:
    backend = make(checkpoint)
    with pytest.raises(RejectedError, match="does not have upscaling"):
        await backend.upscale(UpscaleRequest("ESRGAN"), b"", task="1-1")
    with pytest.raises(RejectedError, match="does not have describing"):
        await backend.interrogate(b"")
    with pytest.raises(RejectedError, match="does not have background"):
        await backend.cut_out(b"")
    assert await backend.resume(order(), task="1-1", on_progress=lambda _: None) is None
