"""Pictures per second when jobs that wait together are painted in one call, against one after the other.

    python bench/batching.py [--device cuda] [--source FOLDER --model NAME]

Both go through the whole backend: its process, its pipes, its queue. Without a source the models are tiny and
have random weights, so the figures show what the calls cost beside the calculating.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import argparse
import asyncio
import io
import tempfile
import time
from contextlib import redirect_stderr
from dataclasses import dataclass

from bench.figures import Sheet
from bot.backends.address import parse
from bot.backends.decoding import Decoder
from bot.backends.factory import Workshop, build
from bot.domain.ports import Backend, Progress
from bot.domain.request import PaintRequest
from bot.imaging.imaging import Imaging

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What is painted: ``jobs`` jobs of ``side``×``side`` px, ``together`` at once."""

    side: int
    jobs: int
    steps: int
    together: int


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="")
    options.add_argument("--source", type=Path)
    options.add_argument("--model", default="tiny")
    options.add_argument("--together", type=int, default=4)
    options.add_argument("--sides", type=int, nargs="+", default=[64, 256])
    options.add_argument("--jobs", type=int, default=16)
    options.add_argument("--steps", type=int, default=8)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = given.source or tiny_models(Path(folder) / "all")
        loads = [Load(side, given.jobs, given.steps, given.together) for side in given.sides]
        return asyncio.run(measure(source, given.device, given.model, loads))


def tiny_models(folder: Path) -> Path:
    """Make them, without the bars that the libraries draw."""
    with redirect_stderr(io.StringIO()):
        from tests.standins.tiny_diffusers import make_tiny_models  # noqa: PLC0415 - it draws while it is imported

        return make_tiny_models(folder).folder


async def measure(source: Path, device: str, model: str, loads: list[Load]) -> int:
    """Let a backend of one slot and one of several paint the same jobs in turns."""
    imaging, decoder = Imaging(), Decoder()
    option = f"device={device}" if device else ""
    together = loads[0].together
    entries = (
        f"diffusers={source} name=single {option}",
        f"diffusers={source} name=batched {option} slots={together}",
    )
    single, batched = build(parse(", ".join(entries)), Workshop(time.monotonic, imaging, decoder))
    print(f"device {(await single.capabilities()).facts['device']}, {together} jobs together")
    sheet = Sheet()
    try:
        for load in loads:
            for backend in (single, batched):
                await paint(backend, model, load)
            slow, fast = 0.0, 0.0
            for _ in range(ROUNDS):
                slow = max(slow, await paint(single, model, load))
                fast = max(fast, await paint(batched, model, load))
            size = f"{load.side}×{load.side}, {load.steps} steps"
            sheet.report(
                f"pictures a second, batched over single, {size}",
                fast,
                "/s",
                round(0.9 * slow, 2),
                floor=slow,
                least=True,
            )
    finally:
        for backend in (single, batched):
            await backend.close()
        await imaging.close()
        await decoder.close()
    return sheet.close()


async def paint(backend: Backend, model: str, load: Load) -> float:
    """Return the pictures a second of one run, with as many jobs at once as the backend has slots."""
    waiting = iter(range(load.jobs))

    async def slot() -> None:
        for seed in waiting:
            request = PaintRequest(
                f"picture {seed}", seed, model=model, width=load.side, height=load.side, steps=load.steps
            )
            answer = await backend.generate(request, task=f"{seed}-1", images={}, on_progress=nothing)
            await answer.painting()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as slots:
        for _ in range(backend.slots):
            slots.create_task(slot())
    return load.jobs / (time.perf_counter() - started)


def nothing(_: Progress) -> None:
    """Take no notice."""


if __name__ == "__main__":
    sys.exit(main())
