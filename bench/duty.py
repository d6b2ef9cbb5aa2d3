"""How busy eight backends are kept that take a second for four large pictures; one of them dies in the middle.

The bot has a process of its own; the stand-ins for Discord and for the backends run in this one, on the same
cores. Every figure stands beside its bar (DESIGN, "What must be fast"); the exit status is 1 if one is missed.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncio
import time
from statistics import mean

from bench.figures import Sheet, quantile
from bench.theatre import Theatre
from bench.webui import WebUI

BACKENDS = 8
JOB_S = 1.0
EACH = 12
LOST_AFTER_S = 4.0


async def duty(sheet: Sheet, webui: WebUI, *, dies: int | None) -> None:
    """Keep all backends busy and print how well; ``dies`` is the backend that is killed on the way."""
    backends = [webui.url(n) for n in range(1, BACKENDS + 1)]
    async with Theatre("easel", backends) as easel, Theatre("idle", backends) as idle:
        for probed in (easel, idle):
            await probed.ask("probe")
        begun = time.perf_counter()
        asked = [(await easel.draw(width=1024, height=1024, count=4))[1] for _ in range(BACKENDS * EACH)]
        webui.gaps.clear()
        if dies is not None:
            await asyncio.sleep(LOST_AFTER_S)
            webui.kill(dies)
        await asyncio.gather(*(easel.painted(interaction) for interaction in asked))
        took = time.perf_counter() - begun
        lags, control = await easel.ask("lags"), await idle.ask("lags")
        usage = await easel.ask("usage")
    what = f"{BACKENDS} backends" if dies is None else f"{BACKENDS} backends, one killed"
    gaps = list(webui.gaps)
    shown = sum(1 for interaction in asked if interaction.message.attachments)
    print(f"{what}: {shown} of {len(asked)} pictures delivered in {took:.1f} s, {usage['rss_mb']:.0f} MB at most")
    sheet.report(f"{what}: lost jobs", len(asked) - shown, "", 0)
    if dies is None:
        sheet.report(f"{what}: duty", 100 * JOB_S / (JOB_S + mean(gaps)), "%", 99, least=True)
        sheet.report(f"{what}: idle gap p95", quantile(gaps, 0.95) * 1000, "ms", 20)
    floor = quantile(control, 0.999) * 1000
    sheet.report(f"{what}: loop stall p99.9", quantile(lags, 0.999) * 1000, "ms", 50, floor=floor)
    sheet.report(f"{what}: loop stall max over control", (lags[-1] - control[-1]) * 1000, "ms", 100)


async def main() -> int:
    """Run the bench and return the exit status."""
    sheet = Sheet()
    async with WebUI(job_s=JOB_S) as webui:
        webui.prepare_large()
        await duty(sheet, webui, dies=None)
        await duty(sheet, webui, dies=3)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
