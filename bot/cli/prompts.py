"""A file of prompts: one a line, each with options of its own, as in the WebUI's “Prompts from file”."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from itertools import count
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from bot.cli.choices import Choices, with_choices
from bot.domain.errors import RequestError
from bot.domain.options import Options
from bot.domain.request import MAX_SEED, PaintRequest

_TAIL = re.compile(r"(?:^|\s)--(?=[a-z])", re.IGNORECASE)
_OPTION = re.compile(r"--([A-Za-z][\w-]*)")
_WEBUI = {
    "negative-prompt": "negative",
    "cfg-scale": "cfg",
    "sampler-name": "sampler",
    "sd-model": "model",
    "styles": "style",
    "n-iter": "count",
    "batch-size": "count",
}
"""The WebUI's words for the same options."""
_MOST_TOLD = 20


class WrongError(Exception):
    """What was asked cannot be painted: a sentence for each problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = len(problems) - _MOST_TOLD
        super().__init__("\n".join([*problems[:_MOST_TOLD], *([f"… and {more} more."] if more > 0 else [])]))


@dataclass(frozen=True, slots=True)
class Line:
    """One prompt and all that was chosen for it; ``number`` is its line in the file from 1, or 0 without one."""

    number: int
    prompt: str
    choices: Choices


@dataclass(frozen=True, slots=True)
class Mark:
    """Which order of a run: a line and its repetition, counted from 1."""

    line: int
    repetition: int

    def key(self, run: str) -> str:
        """Return the unique key of its job in the queue."""
        return f"c:{run}:{self.line}-{self.repetition}"

    @classmethod
    def of(cls, key: str) -> "Mark":
        """Return what a job's key says."""
        line, _, repetition = key.rpartition(":")[2].partition("-")
        return cls(int(line), int(repetition))


@dataclass(frozen=True, slots=True)
class Ticket:
    """One order of a run before it is queued."""

    mark: Mark
    line: Line
    seed: int

    def request(self, defaults: Options) -> PaintRequest:
        """Return the order, its pictures named by their files; raises ``RequestError``."""
        return self.line.choices.request(self.line.prompt, seed=self.seed, defaults=defaults)


def read(text: str, base: Choices) -> list[Line]:
    """Return the lines of a file over the command's own choices; raises ``WrongError``."""
    lines, problems = [], []
    for number, whole in enumerate(text.splitlines(), start=1):
        stripped = whole.strip()
        if not stripped or stripped.startswith("#"):
            continue
        try:
            lines.append(_line(number, stripped, base))
        except RequestError as error:
            problems.append(f"{at(number)}{error}")
    if problems:
        raise WrongError(problems)
    return lines


def check(lines: Iterable[Line], defaults: Options, judge: Callable[[PaintRequest], None]) -> None:
    """Raise ``WrongError`` for lines whose order cannot be, or that ``judge`` raises a ``RequestError`` for."""
    problems = []
    for line in lines:
        try:
            judge(line.choices.request(line.prompt, seed=0, defaults=defaults))
        except RequestError as error:
            problems.append(f"{at(line.number)}{error}")
    if problems:
        raise WrongError(problems)


def at(number: int) -> str:
    """Return the words for where something is: nothing for what comes from no file."""
    return f"line {number}: " if number else ""


def name(text: str, base: Choices, defaults: Options, pictures: Iterable[bytes]) -> str:
    """Return the name of a run: the same prompts with the same choices are the same run.

    How often it is repeated, where it goes and who paints it are no part of that.
    """
    chosen = [
        {key: str(value) for key, value in asdict(layer).items() if value is not None}
        for layer in (base, defaults)
    ]
    digest = hashlib.sha256(json.dumps([text, *chosen], sort_keys=True).encode())
    for picture in pictures:
        digest.update(hashlib.sha256(picture).digest())
    return digest.hexdigest()[:12]


def tickets(lines: list[Line], seed: int, repeat: int | None, pictures: int) -> Iterator[Ticket]:
    """Give every order of a run, round after round; ``repeat`` ``None`` never ends.

    A seed that was chosen counts on by the pictures of an order, ``pictures`` where a line chose no count; others
    are drawn from the run's ``seed``.
    """
    for repetition in count(1) if repeat is None else range(1, repeat + 1):
        for line in lines:
            mark = Mark(line.number, repetition)
            yield Ticket(mark, line, _seed(mark, line.choices, seed, pictures))


def _seed(mark: Mark, choices: Choices, seed: int, pictures: int) -> int:
    if choices.seed is None or choices.seed == -1:
        drawn = hashlib.sha256(f"{seed}:{mark.line}:{mark.repetition}".encode()).digest()
        return int.from_bytes(drawn[:4], "big")
    return (choices.seed + (mark.repetition - 1) * (choices.count or pictures)) % (MAX_SEED + 1)


def _line(number: int, text: str, base: Choices) -> Line:
    found = _TAIL.search(text)
    if found is None:
        return Line(number, text, base)
    prompt, own = _own(text[found.start() :].strip())
    return Line(number, " ".join(part for part in (text[: found.start()].strip(), prompt) if part), own.over(base))


@cache
def _parser() -> Any:
    app = typer.Typer(add_completion=False)

    @with_choices
    def line(choices: Choices, prompt: Annotated[str, typer.Option()] = "") -> tuple[str, Choices]:
        return prompt, choices

    app.command(add_help_option=False)(line)
    return get_command(app)


@lru_cache(maxsize=256)
def _own(tail: str) -> tuple[str, Choices]:
    try:
        words = [_known(word) for word in shlex.split(tail)]
        found: tuple[str, Choices] = _parser().main(words, prog_name="", standalone_mode=False)
    except TyperException as error:
        raise RequestError(error.format_message()) from None
    except ValueError as error:
        raise RequestError(f"{error}.") from None
    return found


def _known(word: str) -> str:
    found = _OPTION.match(word)
    if found is None:
        return word
    option = found[1].replace("_", "-")
    return f"--{_WEBUI.get(option, option)}{word[found.end() :]}"
