"""The painting process: takes orders on its standard input and tells on its output what becomes of them.

It ends when its input does, also in the middle of a step: a bot that was killed leaves no painter behind.
"""

import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, BinaryIO, TextIO

from bot.backends import frames
from bot.backends.frames import Frame

SETTINGS = ("source", "device", "cache_gb", "slots")
"""The fields of the JSON object that is its one argument."""


def main() -> None:
    """Paint for the bot at the other end of the pipes."""
    for each in (signal.SIGTERM, signal.SIGINT):
        # A service manager sends them to every process; the bot lets a running picture be finished.
        signal.signal(each, signal.SIG_IGN)
    # Whatever prints belongs to the log; the pipe is for messages alone.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    # Without a buffer: Python cannot end in peace while a thread waits inside one.
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    serve(source, sink, json.loads(sys.argv[1]), log=sys.stderr, leave=lambda: os._exit(0))


def serve(
    source: BinaryIO, sink: BinaryIO, settings: Mapping[str, Any], *, log: TextIO, leave: Callable[[], None]
) -> None:
    """Paint what is ordered from ``source`` until its end or the device's; then call ``leave``.

    Where ``leave`` returns, this does so at the end of ``source``.
    """
    begun: dict[str, Callable[[Frame], None]] = {}
    lock = threading.Lock()

    def tell(header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
        try:
            with lock:
                sink.write(frames.pack(header, blobs))
                sink.flush()
        except OSError:
            # Nobody listens any more.
            leave()

    def listen() -> None:
        while (frame := frames.read(source)) is not None:
            begun[frame.header["do"]](frame)
        leave()
        begun["close"](Frame({}))

    # Before the imports, which take seconds: who waits for the end of this process must not wait for them.
    ear = threading.Thread(target=listen, name="ear", daemon=True)
    begun["close"] = lambda _: None
    ear.start()
    _hush()
    from bot.backends.diffusers import library, service  # noqa: PLC0415 - see above

    device = settings["device"] or library.best_device()
    if not library.is_usable(device):
        tell({"is": "unfit", "device": device})
        leave()
        return
    books = library.Library(settings["source"], device, settings["cache_gb"])
    painting = service.Service(books, tell, slots=settings["slots"], log=log)
    begun["paint"] = lambda frame: painting.submit(frame.header["id"], frame.header["order"], frame.blobs)
    begun["cancel"] = lambda frame: painting.cancel(frame.header["id"])
    begun["close"] = lambda _: painting.close()
    kin = ", ".join(f"{package} {version(package)}" for package in ("diffusers", "torch"))
    precision = str(books.dtype).removeprefix("torch.")
    tell({"is": "ready", "device": device, "precision": precision, "kin": kin})
    painting.run()
    leave()
    ear.join()


def _hush() -> None:
    """Keep the libraries' bars and warnings out of the log: some quote prompts."""
    import diffusers  # noqa: PLC0415 - it takes seconds
    import transformers  # noqa: PLC0415 - likewise

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


if __name__ == "__main__":
    main()
