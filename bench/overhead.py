"""From a command to a picture with an instant backend, beside a bare discord.py bot in the same run.

Each bot has a process of its own; the stand-ins for Discord and for the WebUI run in this one, on the same cores.
Every figure stands beside its bar (DESIGN, "What must be fast"); the exit status is 1 if one is missed.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncio
import time
from statistics import mean, median

from bench.figures import Sheet, quantile
from bench.theatre import Theatre
from bench.webui import WebUI

ROUNDS = 3
STEADY = 30
BURST = 50
IN_FLIGHT = 200
PROBES = 100
PROBE_S = 0.05
PAINTING_S = 0.25
GAP_PAINTING_S = 0.1
GAPS = 60
BACKENDS = 8
ARRIVALS = 4


class Figures:
    """What was measured of one bot, round by round."""

    def __init__(self, bot: Theatre, webui: WebUI) -> None:
        self.bot = bot
        self.webui = webui
        self.cpu_s: list[float] = []
        self.before_s: list[float] = []
        self.after_s: list[float] = []
        self.rate: list[float] = []
        self.burst_cpu_s: list[float] = []
        self.acknowledged_s: list[float] = []

    async def steady(self) -> None:
        """One picture after the other: CPU a picture, and the delays before and after the backend."""
        before = await self.bot.ask("usage")
        for _ in range(STEADY):
            prompt, interaction = await self.bot.draw()
            await self.bot.painted(interaction)
            await interaction.until(lambda message: message.reactions)
            self.before_s.append(self.webui.arrived[prompt] - interaction.born_at)
            self.after_s.append(self.bot.uploads[prompt] - self.webui.answered[prompt])
        after = await self.bot.ask("usage")
        self.cpu_s.append((after["cpu_s"] - before["cpu_s"]) / STEADY)

    async def burst(self) -> None:
        """Fifty commands at once from five guilds."""
        before = await self.bot.ask("usage")
        begun = time.perf_counter()
        asked = [await self.bot.draw() for _ in range(BURST)]
        await asyncio.gather(*(self.bot.painted(interaction) for _, interaction in asked))
        self.rate.append(BURST / (time.perf_counter() - begun))
        after = await self.bot.ask("usage")
        self.burst_cpu_s.append((after["cpu_s"] - before["cpu_s"]) / BURST)
        await asyncio.sleep(0.5)

    async def acknowledge(self) -> None:
        """Commands at a steady pace while hundreds of others wait and the backend paints."""
        self.webui.job_s = PAINTING_S
        flood = [(await self.bot.draw())[1] for _ in range(IN_FLIGHT)]
        await asyncio.gather(*(interaction.acknowledged(30) for interaction in flood))
        probes = []
        for _ in range(PROBES):
            probes.append((await self.bot.draw())[1])
            await asyncio.sleep(PROBE_S)
        await asyncio.gather(*(interaction.acknowledged(30) for interaction in probes))
        self.acknowledged_s = [probe.acknowledged_after_s or 0.0 for probe in probes]
        self.webui.job_s = 0.0

    def forget(self) -> None:
        """Drop what was measured while everything was still warming up."""
        for samples in (self.cpu_s, self.before_s, self.after_s, self.rate, self.burst_cpu_s):
            samples.clear()

    @property
    def overhead_s(self) -> list[float]:
        """What each picture of the steady rounds waited for its bot."""
        return [before + after for before, after in zip(self.before_s, self.after_s, strict=True)]


async def match(easel: Figures, bare: Figures) -> None:
    """Let the bare bot do per picture what Easel was seen to do."""
    calls = easel.bot.calls.copy()
    before = await easel.bot.ask("usage")
    await easel.steady()
    after = await easel.bot.ask("usage")
    calls = easel.bot.calls - calls
    per_picture = {name: round(number / STEADY) for name, number in calls.items()}
    plan = {
        "edits": per_picture.get("PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}", 0),
        "reactions": sum(number for name, number in per_picture.items() if "reactions" in name),
        "transactions": round((after["transactions"] - before["transactions"]) / STEADY),
        "stores": True,
    }
    print(f"a picture of Easel's: {per_picture}, {plan['transactions']} transactions")
    await bare.bot.ask("plan", **plan)


async def compare(sheet: Sheet, easel: Figures, bare: Figures) -> None:
    """Measure both bots in turns and print what came of it."""
    await easel.burst()
    await bare.burst()
    await match(easel, bare)
    easel.forget()
    bare.forget()
    for figures in (easel, bare) * ROUNDS:
        await figures.steady()
    await bare.bot.ask("plan", edits=0, reactions=0, transactions=0, stores=False)
    for figures in (easel, bare) * ROUNDS:
        await figures.burst()
    memory = {figures: (await figures.bot.ask("usage"))["rss_mb"] for figures in (easel, bare)}
    await gaps(sheet, easel)
    for figures in (easel, bare):
        await figures.acknowledge()
    one, other = easel.acknowledged_s, bare.acknowledged_s
    what = f"acknowledged, {IN_FLIGHT} in flight"
    sheet.report(f"{what}, p50", median(one) * 1000, "ms", 20, floor=median(other) * 1000)
    sheet.report(f"{what}, p99", quantile(one, 0.99) * 1000, "ms", 500, floor=quantile(other, 0.99) * 1000)
    sheet.report(
        "overhead an image, p95",
        quantile(easel.overhead_s, 0.95) * 1000,
        "ms",
        50,
        floor=quantile(bare.overhead_s, 0.95) * 1000,
    )
    for part, of in (("command → backend", "before_s"), ("images in → upload", "after_s")):
        floor = quantile(getattr(bare, of), 0.95) * 1000
        sheet.report(f"  {part}, p95", quantile(getattr(easel, of), 0.95) * 1000, "ms", 50, floor=floor)
    cpu, floor = median(easel.cpu_s), median(bare.cpu_s)
    sheet.report("CPU an image", cpu, "s", 0.02, floor=floor)
    sheet.report("CPU an image, over the bare bot's", cpu / floor, "×", 1.5)
    rate, floor = median(easel.rate), median(bare.rate)
    sheet.report(f"burst of {BURST} from 5 guilds, over the bare bot's", rate / floor, "×", 0.8, least=True)
    for figures in (easel, bare):
        spent = f"{median(figures.burst_cpu_s):.4f} CPU s a picture, {memory[figures]:.0f} MB"
        print(f"  {figures.bot.kind}: {median(figures.rate):.1f} pictures/s, {spent}")


async def gaps(sheet: Sheet, easel: Figures) -> None:
    """Keep one backend busy and look how long it stands idle between two jobs."""
    easel.webui.job_s = GAP_PAINTING_S
    asked = [await easel.bot.draw() for _ in range(GAPS)]
    easel.webui.gaps.clear()
    await asyncio.gather(*(easel.bot.painted(interaction) for _, interaction in asked))
    idle = easel.webui.gaps[2:]  # the first is the pause before, in the second all the commands still arrive
    easel.webui.job_s = 0.0
    sheet.report("idle gap of a busy backend, p95", quantile(idle, 0.95) * 1000, "ms", 20)
    sheet.report("duty at 1 s a job", 100 / (1 + mean(idle)), "%", 99, least=True)


async def stalls(sheet: Sheet, webui: WebUI) -> None:
    """Let eight backends answer with four large pictures each at the same moment, again and again."""
    backends = [webui.url(n) for n in range(1, BACKENDS + 1)]
    webui.prepare_large()
    webui.together = BACKENDS
    async with Theatre("easel", backends) as easel, Theatre("idle", backends) as idle:
        for probed in (easel, idle):
            await probed.ask("probe")
        for _ in range(ARRIVALS):
            asked = [await easel.draw(width=1024, height=1024, count=4) for _ in range(BACKENDS)]
            await asyncio.gather(*(easel.painted(interaction) for _, interaction in asked))
        lags, control = await easel.ask("lags"), await idle.ask("lags")
    webui.together = 1
    what = f"loop stall, 4 × 1024² on {BACKENDS} backends"
    sheet.report(f"{what}, p99.9", quantile(lags, 0.999) * 1000, "ms", 50, floor=quantile(control, 0.999) * 1000)
    sheet.report(f"{what}, max over control", (lags[-1] - control[-1]) * 1000, "ms", 100, floor=control[-1] * 1000)


async def main() -> int:
    """Run the bench and return the exit status."""
    sheet = Sheet()
    async with WebUI() as webui:
        await stalls(sheet, webui)
        one = [webui.url()]
        async with Theatre("easel", one) as easel, Theatre("bare", one) as bare:
            await compare(sheet, Figures(easel, webui), Figures(bare, webui))
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
