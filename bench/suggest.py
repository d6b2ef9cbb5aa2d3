"""How fast suggestions come with 1,000 models and 300 LoRAs while the backend hangs."""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncio
import random
import time

from bench.figures import Sheet, quantile
from bench.theatre import Theatre
from bench.webui import WebUI

MODELS, LORAS, TYPED = 1000, 300, 200
WORDS = ("dream", "real", "anime", "photo", "ink", "fantasy", "pixel", "noir", "pastel", "retro", "clay", "epic")
LISTED_S = 15.0


def names(count: int, chance: random.Random) -> list[str]:
    """Return names as people give their files."""
    return [f"{chance.choice(WORDS)}{chance.choice(WORDS).title()}_v{n}" for n in range(count)]


def lists(chance: random.Random) -> dict[str, object]:
    """Return what a server with very many files answers."""
    models = [
        {"title": name, "model_name": name, "hash": None, "filename": name} for name in names(MODELS, chance)
    ]
    loras = [{"name": name, "alias": name, "metadata": {"tags": ["x"] * 200}} for name in names(LORAS, chance)]
    return {"sd-models": models, "loras": loras}


async def main() -> int:
    """Run the bench and return the exit status."""
    sheet, chance = Sheet(), random.Random(1)
    async with WebUI(lists=lists(chance)) as webui, Theatre("easel", [webui.url()]) as easel:
        person = easel.discord.as_(easel.discord.world.ada)
        begun = time.perf_counter()
        while not await person.autocomplete("draw", "lora", "", prompt="a"):
            assert time.perf_counter() - begun < LISTED_S
            await asyncio.sleep(0.1)
        webui.hung = True
        took: dict[str, list[float]] = {"model": [], "lora": []}
        for _ in range(TYPED):
            for option, spent in took.items():
                typed = chance.choice(WORDS)[: chance.randint(1, 5)]
                begun = time.perf_counter()
                found = await person.autocomplete("draw", option, typed, prompt="a")
                spent.append(time.perf_counter() - begun)
                assert found
        webui.hung = False
    for option, spent in took.items():
        what = f"suggestions for {option}, backend hung"
        sheet.report(f"{what}, p50", quantile(spent, 0.5) * 1000, "ms", 100)
        sheet.report(f"{what}, slowest", max(spent) * 1000, "ms", 100)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
