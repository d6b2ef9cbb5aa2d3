import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.backends.address import parse
from bot.backends.decoding import Decoder
from bot.backends.factory import Workshop, build
from bot.domain import infotext
from bot.domain.capability import Listing
from bot.domain.errors import RejectedError
from bot.domain.ports import Backend, Progress
from bot.imaging import pngtext
from bot.imaging.imaging import Imaging
from bot.imaging.sniffing import sniff
from tests.standins.webui import png
from tests.wire.workbench import order


@pytest.fixture
async def sketch(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    imaging, decoder = Imaging(threads=1), Decoder()
    entry = getattr(request, "param", "sketch=0")
    (backend,) = build(parse(entry), Workshop(time.monotonic, imaging, decoder))
    await backend.health()
    yield backend
    await backend.close()
    await imaging.close()
    await decoder.close()


async def test_a_sketch_has_the_size_count_seeds_and_infotext_asked_for(sketch: Backend) -> None:
    request = order(width=96, height=64, count=3, steps=2, sampler="DPM++ 2M", strength=None)
    answer = await sketch.generate(request, task="1-1", images={}, on_progress=lambda _: None)
    painting = await answer.painting()
    assert [(p.width, p.height, p.seed) for p in painting.pictures] == [(96, 64, 5), (96, 64, 6), (96, 64, 7)]
    assert len({p.data for p in painting.pictures}) == 3
    assert (painting.model, painting.sampler) == ("sketch (no model)", "DPM++ 2M")
    for picture in painting.pictures:
        assert pngtext.read(picture.data) == picture.infotext
        recipe = infotext.parse(picture.infotext)
        assert (recipe.prompt, recipe.seed) == ("a cat", picture.seed)
        assert recipe.fields["Model"] == "sketch (no model)"


@pytest.mark.parametrize("sketch", ["sketch=0.002"], indirect=True)
async def test_a_sketch_takes_its_steps_and_shows_previews(sketch: Backend) -> None:
    told: list[Progress] = []
    await sketch.generate(order(steps=10, count=2), task="1-1", images={}, on_progress=told.append)
    assert [progress.step for progress in told] == list(range(1, 21))
    assert told[-1].fraction == 1
    previews = [progress.preview for progress in told if progress.preview]
    assert 2 <= len(previews) <= 5
    assert all(sniff(preview) is not None for preview in previews)


async def test_a_source_picture_shows_through(sketch: Backend) -> None:
    source = png(80, 40, 3)
    pictures = []
    for strength in (0.2, 0.9):
        request = order(init_image="hash", strength=strength)
        answer = await sketch.generate(request, task="1-1", images={"hash": source}, on_progress=lambda _: None)
        painting = await answer.painting()
        pictures.append(painting.pictures[0].data)
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("sketch", ["sketch=30"], indirect=True)
async def test_a_sketch_can_be_cancelled_between_steps(sketch: Backend) -> None:
    job = asyncio.create_task(sketch.generate(order(), task="1-1", images={}, on_progress=lambda _: None))
    await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_a_broken_source_picture_is_refused_in_words(sketch: Backend) -> None:
    request = order(init_image="hash", strength=0.5)
    with pytest.raises(RejectedError, match="not a picture"):
        await sketch.generate(request, task="1-1", images={"hash": b"text"}, on_progress=lambda _: None)


@pytest.mark.parametrize("changes", [{"model": "dreamshaper_8"}, {"sampler": "x"}, {"scheduler": "x"}])
async def test_names_it_does_not_list_are_refused(sketch: Backend, changes: dict[str, object]) -> None:
    with pytest.raises(RejectedError, match="sketch has no"):
        await sketch.generate(order(**changes), task="1-1", images={}, on_progress=lambda _: None)


async def test_it_says_that_it_is_no_model(sketch: Backend) -> None:
    found = await sketch.capabilities()
    assert found.listings[Listing.MODELS] == ("sketch (no model)",)
    assert found.loaded_model == "sketch (no model)"


async def test_a_sketch_has_nothing_to_let_go_of(sketch: Backend) -> None:
    await sketch.abandon(order(), task="1-1")
