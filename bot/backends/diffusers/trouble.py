"""What goes wrong in the painting process, as it is told to the bot: a kind and what it is about."""

from enum import StrEnum

import torch

_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "invalid buffer size",
    "alloc_failed",
)


class Kind(StrEnum):
    """The kinds of trouble that a person can do something about, and the one that only the log explains."""

    MEMORY = "memory"
    MODEL = "model"
    FAMILY = "family"
    CONFIGURATION = "configuration"
    LORA = "lora"
    CONTROL = "control"
    NOTHING = "nothing"
    BUG = "bug"


class Trouble(Exception):  # noqa: N818 - it is told to the bot, which has the error for it
    """Painting failed for a reason that can be told; ``about`` is a name that people use for the culprit."""

    def __init__(self, kind: Kind, about: str = "") -> None:
        super().__init__(f"{kind}: {about}")
        self.kind = kind
        self.about = about


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: CUDA has a type for it, Apple's MPS and the CPU only words."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY_WORDS)


def is_of_device(error: BaseException) -> bool:
    """Return whether the device itself failed, which then takes no more work from this process."""
    failed = isinstance(error, torch.AcceleratorError) and not is_out_of_memory(error)
    return failed or (error.__cause__ is not None and is_of_device(error.__cause__))


def understood(error: Exception) -> Trouble:
    """Return the trouble that ``error`` stands for."""
    if isinstance(error, Trouble) and not is_of_device(error):
        return error
    return Trouble(Kind.MEMORY if is_out_of_memory(error) else Kind.BUG)
