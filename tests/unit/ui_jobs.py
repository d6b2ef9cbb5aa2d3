"""Jobs to be drawn."""

from dataclasses import replace
from typing import Any

from bot.domain.job import Address, Job, JobSpec, Picture, Result, State
from bot.domain.request import PaintRequest

ASKER = 200


def job(prompt: str = "a quiet harbour", *, state: State = State.QUEUED, **changes: Any) -> Job:
    """A job as the queue hands it out; ``spec`` and ``request`` change what is inside."""
    request = PaintRequest(
        prompt, 42, model="dreamshaper_8.safetensors [879db523c3]", width=768, height=512, steps=25
    )
    spec = JobSpec(replace(request, **changes.pop("request", {})))
    made = Job(
        id=7,
        key="i:1:0",
        lane="default",
        guild=100,
        user=ASKER,
        state=state,
        spec=replace(spec, **changes.pop("spec", {})),
        address=Address(channel_id=300, message_id=400, guild_id=100),
        token=None,
        cost=1024,
        tag=0,
        attempt=1,
        crashes=0,
        created_at=1_000.0,
    )
    return replace(made, **changes)


def result(*seeds: int) -> Result:
    """What a backend made of it: one picture for each seed."""
    pictures = tuple(Picture(f"blob{seed}", "image/png", 768, 512, seed) for seed in seeds)
    return Result(pictures, "gpu1", 8.31, "dreamshaper_8.safetensors [879db523c3]", "DPM++ 2M", "Karras")


def finished(*seeds: int, **changes: Any) -> Job:
    """A delivered job."""
    return job(state=State.DELIVERED, result=result(*(seeds or (42,))), **changes)
