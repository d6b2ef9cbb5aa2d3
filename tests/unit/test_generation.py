"""The painters over a real queue, with a backend that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain import breaker
from bot.domain.capability import Capabilities, Listing
from bot.domain.errors import LostError
from bot.domain.job import Address, Job, JobSpec, NewJob, State
from bot.domain.limits import Limits
from bot.domain.ports import Painted, Painting
from bot.domain.request import PaintRequest
from bot.jobs.embedded import Embedded
from bot.jobs.service import Jobs
from bot.services import generation, handover
from bot.services.catalogue import Catalogue
from bot.services.fleet import Fleet
from bot.services.generation import Generation
from bot.services.routing import Routing
from bot.storage.blobs import BlobsAwayError, FolderBlobs
from bot.storage.sqlite import SqliteDatabase

DONE = Painting((Painted(b"picture", "image/png", 8, 8, 7, ""),), 1.0, "random15", "Euler", None)
Act = Callable[[], Awaitable[None]]


class Painter:
    """Does what is in ``sending`` and ``coming`` before it answers and before its pictures come, by prompt."""

    name = "gpu"

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.sending: dict[str, list[Act]] = {}
        self.coming: dict[str, list[Act]] = {}
        self.away = asyncio.Event()
        self.back = asyncio.Event()
        self.hangs = False

    async def health(self) -> None:
        if self.hangs:
            self.away.set()
            await self.back.wait()

    async def capabilities(self) -> Capabilities:
        return Capabilities({Listing.MODELS: ("random15",)})

    async def resume(self, *_: object, **__: object) -> None:
        """Know nothing of former lives."""

    async def abandon(self, *_: object, **__: object) -> None:
        """Know nothing of what others took over."""

    async def generate(self, request: PaintRequest, **_: Any) -> Any:
        await self._act(self.sending, request)
        return SimpleNamespace(painting=lambda: self._painting(request))

    async def _painting(self, request: PaintRequest) -> Painting:
        await self._act(self.coming, request)
        return DONE

    async def _act(self, acts: dict[str, list[Act]], request: PaintRequest) -> None:
        if left := acts.get(request.prompt):
            await left.pop(0)()


class Store(FolderBlobs):
    """Takes and gives nothing while it is ``away``."""

    away = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, asyncio.get_running_loop().time)
        self.refused = asyncio.Event()

    async def put(self, data: bytes) -> str:
        self._here()
        return await super().put(data)

    async def get(self, blob: str) -> bytes:
        self._here()
        return await super().get(blob)

    def _here(self) -> None:
        if self.away:
            self.refused.set()
            raise BlobsAwayError


class Shop:
    """A queue, a book of backends and the painters; ``ended`` has the prompts of what is painted or failed."""

    def __init__(self, base: Jobs, painter: Painter, folder: Path) -> None:
        backends: Any = (painter,)
        self.jobs = base
        self.ended: list[tuple[str, str]] = []
        self._change = asyncio.Event()
        self.fleet = Fleet(backends, clock=asyncio.get_running_loop().time)
        catalogue = Catalogue(backends)
        routing = Routing(catalogue)
        self.blobs = Store(folder)
        self.generation = Generation(
            base, self.fleet, catalogue, routing, self.blobs, announcer=self, check_s=0.05
        )

    def changed(self, job: Job) -> None:
        if job.result or job.failure:
            self.ended.append((job.spec.request.prompt, job.state.value))
            self._change.set()

    def progressed(self, *_: object) -> None:
        """Nobody looks."""

    async def order(self, *prompts: str, init_image: str | None = None) -> None:
        for prompt in prompts:
            spec = JobSpec(PaintRequest(prompt, 7, init_image=init_image))
            await self.jobs.enqueue(NewJob(f"i:{prompt}:0", 1, 11, spec, Address(5)), limits=Limits())

    async def until_outage(self, away: bool) -> None:
        async with asyncio.timeout(10):
            while (self.fleet.members["gpu"].outage is not None) is not away:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    async def put_back(self) -> Job:
        """Return the only job there is once it waits again."""
        async with asyncio.timeout(10):
            while True:
                (job,) = await self.jobs.live()
                if job.attempt and job.state is State.QUEUED:
                    return job
                await asyncio.sleep(0.01)

    async def until_ended(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.ended) < count:
                self._change.clear()
                await self._change.wait()


@asynccontextmanager
async def opened(painter: Painter, folder: Path) -> AsyncIterator[Shop]:
    database = SqliteDatabase(SqliteDatabase.in_folder(folder))
    jobs = Jobs(database, Embedded(database), clock=asyncio.get_running_loop().time)
    await jobs.open()
    shop = Shop(jobs, painter, folder / "blobs")
    running = asyncio.create_task(shop.generation.run())
    try:
        yield shop
        shop.generation.stop()
        async with asyncio.timeout(10):
            await asyncio.shield(running)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await jobs.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests that a test can wait for."""
    monkeypatch.setattr(breaker, "FIRST_LOSS_S", 0.01)
    monkeypatch.setattr(breaker, "LONGEST_LOSS_S", 0.01)
    monkeypatch.setattr(generation, "AWAY_S", 0.01)


async def test_pictures_that_break_off_when_their_backend_is_back_already_are_painted_again(
    tmp_path: Path,
) -> None:
    painter, at_hand, cut = Painter(slots=2), asyncio.Event(), asyncio.Event()

    async def late() -> None:
        at_hand.set()
        await cut.wait()
        raise LostError("gone")

    async def after_that() -> None:
        await at_hand.wait()
        raise LostError("gone")

    painter.coming["late"], painter.sending["lost"] = [late], [after_that]
    async with opened(painter, tmp_path) as shop:
        await shop.order("late", "lost")
        for away in (True, False):
            await shop.until_outage(away)
        cut.set()
        await shop.until_ended(2)
        assert {state for _, state in shop.ended} == {"painted"}


async def test_pictures_do_not_wait_for_a_backend_that_has_been_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "LONGEST_S", 3600.0)
    painter, left = Painter(slots=2), asyncio.Event()

    async def down() -> None:
        painter.hangs = True
        raise LostError("gone")

    async def last() -> None:
        await left.wait()

    painter.sending["last"], painter.sending["lost"] = [last], [down]
    async with opened(painter, tmp_path) as shop:
        await shop.order("last", "lost")
        await shop.until_outage(True)
        left.set()
        await shop.until_ended(1)
        assert shop.ended == [("last", "painted")]


async def test_pictures_that_stall_over_an_outage_do_not_keep_their_backend_from_its_next_job(
    tmp_path: Path,
) -> None:
    painter, at_hand, over = Painter(slots=2), asyncio.Event(), asyncio.Event()

    async def stalled() -> None:
        at_hand.set()
        await over.wait()

    async def after_that() -> None:
        await at_hand.wait()
        raise LostError("gone")

    painter.coming["stalled"], painter.sending["lost"] = [stalled], [after_that]
    async with opened(painter, tmp_path) as shop:
        await shop.order("stalled", "lost")
        await shop.until_ended(1)
        assert shop.ended == [("lost", "painted")]
        over.set()
        await shop.until_ended(2)


async def test_the_setbacks_of_a_job_that_was_cancelled_are_forgotten(tmp_path: Path) -> None:
    painter = Painter()

    async def lost() -> None:
        painter.hangs = True
        raise LostError("gone")

    async def later() -> None:
        raise LostError("gone")

    painter.sending["given up"], painter.sending["next"] = [lost], [later]
    async with opened(painter, tmp_path) as shop:
        await shop.order("given up")
        await shop.until_outage(True)
        job = await shop.put_back()
        await shop.jobs.cancel(job.id, by=11)
        assert set(shop.generation._losses) == {job.id}
        painter.back.set()
        await shop.order("next")
        await shop.until_ended(1)
        assert (shop.ended, set(shop.generation._losses)) == ([("next", "painted")], set())


async def test_a_backend_that_does_not_answer_holds_nobody_up_who_wants_to_stop(tmp_path: Path) -> None:
    painter = Painter()
    painter.hangs = True
    async with opened(painter, tmp_path):
        await painter.away.wait()


async def test_what_is_painted_while_the_store_is_away_waits_for_it(tmp_path: Path) -> None:
    async with opened(Painter(), tmp_path) as shop:
        shop.blobs.away = True
        await shop.order("fox")
        async with asyncio.timeout(10):
            await shop.blobs.refused.wait()
        assert shop.ended == []
        shop.blobs.away = False
        await shop.until_ended(1)
        assert shop.ended == [("fox", "painted")]


async def test_a_job_whose_picture_cannot_be_read_just_now_is_not_lost(tmp_path: Path) -> None:
    async with opened(Painter(), tmp_path) as shop:
        source = await shop.blobs.put(b"a fox")
        shop.blobs.away = True
        await shop.order("fox", init_image=source)
        async with asyncio.timeout(10):
            await shop.blobs.refused.wait()
        assert shop.ended == []
        shop.blobs.away = False
        await shop.until_ended(1)
        assert shop.ended == [("fox", "painted")]


@pytest.mark.parametrize("init_image", [None, "ab" * 32])
async def test_what_waits_for_the_store_at_the_end_is_left_to_the_next_start(
    tmp_path: Path, init_image: str | None
) -> None:
    async with opened(Painter(), tmp_path) as shop:
        shop.blobs.away = True
        await shop.order("fox", init_image=init_image)
        async with asyncio.timeout(10):
            await shop.blobs.refused.wait()
        shop.generation.stop()
        async with asyncio.timeout(10):
            while [job.state for job in await shop.jobs.live()] != [State.QUEUED]:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert shop.ended == []
