"""The host's own wildcard lists: text files in a folder, one line each to draw."""

import re
from collections.abc import Mapping
from pathlib import Path

import structlog

from bot.prompting.wildcards import NAME, lines

log = structlog.get_logger(__name__)

MAX_FILE_BYTES = 1024 * 1024
MAX_FILES = 1000
MAX_BYTES = 32 * 1024 * 1024
"""Most that all of them may take: they stay in memory."""


def read_lists(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return every list of the folder by its path below it, without ``.txt``; none where there is no folder.

    What is no text in UTF-8, too large or named so that no prompt can name it is left out, and the log says so.
    """
    found: dict[str, tuple[str, ...]] = {}
    room = MAX_BYTES
    for path in sorted(folder.rglob("*.txt"))[:MAX_FILES]:
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            text = path.read_text("utf-8-sig") if path.stat().st_size <= min(MAX_FILE_BYTES, room) else ""
        except (OSError, UnicodeDecodeError):
            text = ""
        if text and re.fullmatch(NAME, name):
            found[name] = lines(text)
            room -= len(text)
        else:
            log.warning("wildcard list left out", file=name)
    return found
