"""How busy eight backends are kept that take a second for four large pictures; one of them dies in the middle.

First the least client that keeps them busy, as the floor; then the queue, the pool and the store by themselves,
which is all that a backend waits for; then, unless only the ``--pool`` is asked for, the whole bot with its
Discord, whose people, uploads and grids of pictures are on the same cores. The bot has a process of its own, the
stand-ins run in this one. Every figure stands beside its bar (DESIGN, "What must be fast"); the exit
status is 1 if one is missed.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import argparse
import asyncio
import time
from collections.abc import Sequence
from statistics import mean

from bench.figures import Sheet, quantile
from bench.theatre import Theatre
from bench.webui import LARGE, WebUI

BACKENDS = 8
JOB_S = 1.0
WARMING = 3
EACH = 15
LOST_AFTER_S = 4.0
PICTURES = 4


async def floor(webui: WebUI) -> list[float]:
    """Return the gaps that the least client leaves."""
    backends = [webui.url(n) for n in range(1, BACKENDS + 1)]
    async with Theatre("floor", backends) as painters:
        await painters.ask("order", jobs=BACKENDS * EACH, side=LARGE.side, pictures=PICTURES)
        await stored(painters, BACKENDS * WARMING)
        webui.forget()
        await stored(painters, BACKENDS * EACH)
    return list(webui.gaps)


async def pool(sheet: Sheet, webui: WebUI) -> None:
    """Keep all backends busy with nobody looking on."""
    least = await floor(webui)
    backends = [webui.url(n) for n in range(1, BACKENDS + 1)]
    async with Theatre("pool", backends) as painters, Theatre("idle", backends) as idle:
        await painters.ask("order", jobs=BACKENDS * EACH, side=LARGE.side, pictures=PICTURES)
        await stored(painters, BACKENDS * WARMING)
        # They all began in the same moment, which real ones do not for long.
        webui.forget()
        before = await painters.ask("usage")
        for probed in (painters, idle):
            await probed.ask("probe")
        await stored(painters, BACKENDS * EACH)
        lags, control = await painters.ask("lags"), await idle.ask("lags")
        after = await painters.ask("usage")
    what = f"{BACKENDS} backends, pool alone"
    cpu_s = (after["cpu_s"] - before["cpu_s"]) / (BACKENDS * (EACH - WARMING))
    print(f"{what}: {cpu_s:.3f} CPU s a job of {PICTURES} pictures, {after['rss_mb']:.0f} MB at most")
    busy(sheet, what, webui.gaps, least)
    stalls(sheet, what, lags, control)
    flying = BACKENDS * PICTURES * len(LARGE.with_infotext("")) / 2**20
    sheet.report(f"{what}: memory over what flies", (after["rss_mb"] - before["idle_mb"]) / flying, "×", 3)


async def stored(painters: Theatre, jobs: int) -> None:
    """Wait until so many jobs are painted and stored."""
    while await painters.ask("stored") < jobs:  # noqa: ASYNC110 - it is another process that knows
        await asyncio.sleep(0.05)


async def whole(sheet: Sheet, webui: WebUI, *, dies: int | None) -> None:
    """Keep all backends of a whole bot busy; ``dies`` is the backend that is killed on the way."""
    backends = [webui.url(n) for n in range(1, BACKENDS + 1)]
    async with Theatre("easel", backends) as easel, Theatre("idle", backends) as idle:
        for probed in (easel, idle):
            await probed.ask("probe")
        begun = time.perf_counter()
        sizes = {"width": LARGE.side, "height": LARGE.side, "count": PICTURES}
        asked = [(await easel.draw(**sizes))[1] for _ in range(BACKENDS * EACH)]
        webui.forget()
        if dies is not None:
            await asyncio.sleep(LOST_AFTER_S)
            webui.kill(dies)
        await asyncio.gather(*(easel.painted(interaction) for interaction in asked))
        took = time.perf_counter() - begun
        lags, control = await easel.ask("lags"), await idle.ask("lags")
        usage = await easel.ask("usage")
    what = f"{BACKENDS} backends, whole bot" if dies is None else f"{BACKENDS} backends, one killed"
    shown = sum(1 for interaction in asked if interaction.message.attachments)
    print(f"{what}: {shown} of {len(asked)} delivered in {took:.1f} s, {usage['rss_mb']:.0f} MB at most")
    sheet.report(f"{what}: lost jobs", len(asked) - shown, "", 0)
    if dies is None:
        busy(sheet, what, webui.gaps)
    stalls(sheet, what, lags, control)


def busy(sheet: Sheet, what: str, gaps: list[float], least: Sequence[float] = ()) -> None:
    """Print how little backends with work in line stood idle; ``least`` are the floor's gaps in the same run."""
    floors = [100 * JOB_S / (JOB_S + mean(least)), quantile(list(least), 0.95) * 1000] if least else [None, None]
    duty = 100 * JOB_S / (JOB_S + mean(gaps))
    sheet.report(f"{what}: duty", duty, "%", 99, floor=floors[0], least=True)
    sheet.report(f"{what}: idle gap p95", quantile(gaps, 0.95) * 1000, "ms", 20, floor=floors[1])


def stalls(sheet: Sheet, what: str, lags: list[float], control: list[float]) -> None:
    """Print how long the event loop stood still, beside a process that does nothing."""
    floor = quantile(control, 0.999) * 1000
    sheet.report(f"{what}: loop stall p99.9", quantile(lags, 0.999) * 1000, "ms", 50, floor=floor)
    sheet.report(f"{what}: loop stall max over control", (lags[-1] - control[-1]) * 1000, "ms", 100)


async def main() -> int:
    """Run the bench and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pool", action="store_true", help="leave the whole bot out")
    only_pool = options.parse_args().pool
    sheet = Sheet()
    async with WebUI(job_s=JOB_S) as webui:
        webui.prepare_large()
        await pool(sheet, webui)
        if not only_pool:
            await whole(sheet, webui, dies=None)
            await whole(sheet, webui, dies=3)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
