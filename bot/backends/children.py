"""Processes of our own that run models: started the same way, without the bot's secrets."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

PIPE_BYTES = 1 << 20
"""How much of what a child says is read at once."""
_ROOT = Path(__file__).parents[2]
_PRIVATE = ("EASEL_", "DISCORD_", "DATABASE_")
_QUIET = {
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
_OFFLINE = {"HF_HUB_OFFLINE": "1"}
"""Nothing is downloaded unless the host sets this to 0."""


async def spawn(module: str, argument: str, *, stderr: int) -> Process:
    """Start a module of ours with one argument and pipes to it; raises ``OSError``, as for too little memory."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        argument,
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
        limit=PIPE_BYTES,
        env=environment(),
        # Ctrl-C is for the bot, which ends its children in its own time.
        start_new_session=True,
    )


def is_offline() -> bool:
    """Return whether a child may download nothing, as the hub's library reads it."""
    return {**_OFFLINE, **os.environ}["HF_HUB_OFFLINE"].upper() in {"1", "ON", "YES", "TRUE"}


def environment() -> dict[str, str]:
    """Return our variables without the bot's secrets, set so that the libraries neither call home nor chat."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_PRIVATE)}
    # It must find the bot's own modules from wherever the bot was started.
    paths = os.pathsep.join((str(_ROOT), *filter(None, [kept.get("PYTHONPATH")])))
    return {**_OFFLINE, **kept, **_QUIET, "PYTHONPATH": paths}
