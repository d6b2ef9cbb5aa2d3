"""Painting from the terminal, for the tests of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.logs import logs_given_back

SMALL = ("--size", "64x64", "--steps", "3")


@pytest.fixture(name="place", autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, no settings, and the process's logging as it was."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("EASEL_") or name in {"DISCORD_TOKEN", "DATABASE_URL"}:
            monkeypatch.delenv(name)
    with logs_given_back():
        yield tmp_path


def index(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]


def pictures(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.png"))


def orders(folder: Path) -> list[str]:
    """Line and repetition of every picture there is."""
    return sorted("-".join(name.split("-")[:2]) for name in pictures(folder))
