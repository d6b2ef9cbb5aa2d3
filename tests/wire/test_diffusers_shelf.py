import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.backends.address import parse
from bot.backends.decoding import Decoder
from bot.backends.diffusers import shelf
from bot.backends.diffusers.process import PaintingProcess
from bot.backends.factory import Workshop, build
from bot.backends.wire import Pace
from bot.domain.errors import BackendError
from bot.domain.ports import Backend
from bot.imaging.imaging import Imaging

Maker = Callable[[object, Pace], Backend]


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Maker]:
    """Backends whose painting process is ready without being started."""
    imaging, decoder, made = Imaging(threads=1), Decoder(), []

    async def ready(_: PaintingProcess) -> dict[str, str]:
        return {"device": "cpu", "precision": "float32", "kin": "diffusers"}

    def make(source: object, pace: Pace) -> Backend:
        workshop = Workshop(time.monotonic, imaging, decoder, pace)
        made.extend(build(parse(f"diffusers={source} name=own"), workshop))
        return made[-1]

    monkeypatch.setattr(PaintingProcess, "ready", ready)
    yield make
    for backend in made:
        await backend.close()
    await imaging.close()
    await decoder.close()


async def test_a_model_of_the_hub_that_is_not_here_is_told_before_anybody_paints(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    backend = make("owner/model", Pace())
    with pytest.raises(BackendError, match="own finds no “owner/model” on this machine"):
        await backend.health()
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert "owner/model comes from the hub" in (await backend.capabilities()).facts["download"]
    snapshot = tmp_path / "hub" / "models--owner--model" / "snapshots" / "0a1b"
    snapshot.mkdir(parents=True)
    (snapshot / "model_index.json").touch()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert "download" not in (await backend.capabilities()).facts


async def test_a_folder_that_hangs_is_looked_at_once_at_a_time(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, free = [], threading.Event()

    def hung(source: str) -> shelf.Shelf:
        looks.append(source)
        free.wait(10)
        return shelf.Shelf({})

    monkeypatch.setattr(shelf, "look", hung)
    backend = make(tmp_path, Pace(get_s=0.05))
    for _ in range(3):
        with pytest.raises(BackendError, match="finds no model"):
            await backend.health()
    assert len(looks) == 1
    free.set()
