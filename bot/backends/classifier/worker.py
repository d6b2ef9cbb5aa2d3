"""The classifier's process: takes pictures on its standard input and tells on its output what is on them.

It ends when its input does, so a bot that was killed leaves none behind.
"""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from bot.backends import frames
from bot.imaging.opening import flat, opened, upright

MAX_SIDE = 448
"""Largest side in px; what comes is that small already."""
Look = Callable[[Sequence[bytes]], list[dict[str, float]]]


def main() -> None:
    """Classify for the bot at the other end of the pipes; the model is the one argument."""
    for each in (signal.SIGTERM, signal.SIGINT):
        # A service manager sends them to every process; this one goes with the bot.
        signal.signal(each, signal.SIG_IGN)
    # Whatever prints belongs to the log; the pipe is for messages alone.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    try:
        look, labels = loaded(sys.argv[1])
    except Exception as error:  # noqa: BLE001 - whatever it is, the host has to see it
        reason = " ".join(str(error).split())[:300]
        sink.write(frames.pack({"is": "unfit", "reason": reason or type(error).__name__}))
        sink.flush()
        return
    serve(sys.stdin.buffer, sink, look, labels)


def serve(source: BinaryIO, sink: BinaryIO, look: Look, labels: Sequence[str]) -> None:
    """Say that all is ready, and the ``labels`` there are; answer pictures by scores until ``source`` ends."""
    header: dict[str, Any] = {"is": "ready", "labels": list(labels)}
    while True:
        sink.write(frames.pack(header))
        sink.flush()
        frame = frames.read(source)
        if frame is None:
            return
        try:
            header = {"is": "scores", "scores": look(frame.blobs)}
        except Exception as error:  # noqa: BLE001 - one picture it cannot read is no reason to end
            header = {"is": "failed", "reason": type(error).__name__}


def loaded(model: str) -> tuple[Look, Sequence[str]]:
    """Load a model of the hub, or a folder, and return what asks it, and its labels."""
    import torch  # noqa: PLC0415 - takes seconds, and memory in the bot
    from transformers import pipeline  # noqa: PLC0415 - likewise

    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    ask = pipeline("image-classification", model=model, top_k=None)

    def look(pictures: Sequence[bytes]) -> list[dict[str, float]]:
        shown = [_pixels(data) for data in pictures]
        return [{str(each["label"]): float(each["score"]) for each in found} for found in ask(shown)]

    return look, [str(label) for label in ask.model.config.id2label.values()]


def _pixels(data: bytes) -> Any:
    with opened(data) as image:
        return flat(upright(image, MAX_SIDE))


if __name__ == "__main__":
    main()
