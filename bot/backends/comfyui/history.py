"""A prompt's place at the server and its outcome, from ``/queue`` and ``/history``.

Messages on the WebSocket may be lost; these two always tell the truth. ``/history`` has nothing of a prompt
that waits, runs, was deleted or never was: only ``/queue`` tells those apart.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum, auto
from typing import Any

from bot.backends.decoding import listed

_MEMO = "easel"
"""Where a prompt's ``extra_data`` carries our own words, which the server keeps and gives back with it."""


class Place(Enum):
    """Where in the queue a prompt is."""

    PENDING = auto()
    RUNNING = auto()


_PLACES = {"queue_running": Place.RUNNING, "queue_pending": Place.PENDING}


@dataclass(frozen=True, slots=True)
class Memo:
    """What we want to know of a prompt that an earlier life of ours sent.

    ``task`` is our own id for it, since older servers choose the prompt's; ``seeds`` belong to the nodes that end
    it, in order; the others are the names that people know.
    """

    task: str
    seeds: Mapping[str, int]
    model: str | None = None
    sampler: str | None = None
    scheduler: str | None = None

    def extra_data(self) -> dict[str, Any]:
        """Return it as a prompt carries it."""
        return {_MEMO: asdict(self)}


@dataclass(frozen=True, slots=True)
class Queued:
    """A prompt in the queue: the server's own id for it, and the client that hears of it."""

    place: Place
    prompt_id: str
    client_id: str | None
    graph: Mapping[str, Any]
    memo: Memo | None


@dataclass(frozen=True, slots=True)
class File:
    """A picture that ``/view`` gives."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a prompt ended: what its nodes gave, or the data of its ``execution_error``; it ran for ``seconds``."""

    prompt_id: str
    outputs: Mapping[str, Any]
    error: Mapping[str, Any] | None = None
    interrupted: bool = False
    memo: Memo | None = None
    seconds: float | None = None


def queued(body: bytes | bytearray, task: str) -> Queued | None:
    """Find our prompt in ``/queue``; raises ``ValueError`` if it is none.

    It holds everybody's graphs whole, with whatever their pages put into them: megabytes on a busy server.
    """
    for key, item in listed(body):
        if key in _PLACES and _is_ours(item, task):
            graph, extra = _item(item, 2), _item(item, 3)
            client = extra.get("client_id") if isinstance(extra, dict) else None
            return Queued(
                _PLACES[key],
                item[1],
                client if isinstance(client, str) else None,
                graph if isinstance(graph, dict) else {},
                _memo(extra),
            )
    return None


def outcome(body: bytes | bytearray, task: str) -> Outcome | None:
    """Find our prompt in ``/history``; raises ``ValueError`` if it is none."""
    for prompt_id, entry in _object(body).items():
        if isinstance(entry, dict) and (prompt_id == task or _is_ours(entry.get("prompt"), task)):
            return _outcome(prompt_id, entry)
    return None


def files(outputs: Mapping[str, Any], seeds: Mapping[str, int]) -> tuple[tuple[File, int], ...]:
    """Return the pictures with their seeds; those only meant to be looked at if there are no others."""
    found = [(file, seed) for node, seed in seeds.items() for file in _images(outputs.get(node))]
    kept = [(file, seed) for file, seed in found if file.type != "temp"]
    return tuple(kept or found)


def _outcome(prompt_id: str, entry: Mapping[str, Any]) -> Outcome:
    outputs, status = entry.get("outputs"), entry.get("status")
    told = _list(status.get("messages")) if isinstance(status, dict) else []
    messages = {
        item[0]: item[1] for item in told if isinstance(item, list) and len(item) > 1 and isinstance(item[0], str)
    }
    error = messages.get("execution_error")
    return Outcome(
        prompt_id,
        outputs if isinstance(outputs, dict) else {},
        error if isinstance(error, dict) else None,
        "execution_interrupted" in messages,
        _memo(_item(entry.get("prompt"), 3)),
        _seconds(messages.values()),
    )


def _seconds(messages: Iterable[Any]) -> float | None:
    """Return how long it ran; the messages are stamped in milliseconds."""
    stamps = [message.get("timestamp") for message in messages if isinstance(message, dict)]
    known = [stamp for stamp in stamps if isinstance(stamp, int)]
    return (max(known) - min(known)) / 1000 if len(known) > 1 else None


def _memo(extra: Any) -> Memo | None:
    """Read what we once wrote; ``None`` for anything else that may stand there."""
    memo = extra.get(_MEMO) if isinstance(extra, dict) else None
    try:
        read = Memo(**memo) if isinstance(memo, dict) else None
    except TypeError:
        return None
    if read is None or not isinstance(read.seeds, dict):
        return None
    return read if all(isinstance(seed, int) for seed in read.seeds.values()) else None


def _is_ours(item: Any, task: str) -> bool:
    if not isinstance(_item(item, 1), str):
        return False
    memo = _memo(_item(item, 3))
    return item[1] == task or (memo is not None and memo.task == task)


def _item(items: Any, i: int) -> Any:
    return items[i] if isinstance(items, list) and i < len(items) else None


def _images(output: Any) -> Iterable[File]:
    for image in _list(output.get("images")) if isinstance(output, dict) else ():
        if isinstance(image, dict) and isinstance(image.get("filename"), str):
            yield File(image["filename"], str(image.get("subfolder") or ""), str(image.get("type") or "output"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(body: bytes | bytearray) -> dict[str, Any]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - it is the answer that is wrong
    return answer
