"""Names checked against what a server lists, since servers silently take another one instead."""

from collections.abc import Collection, Iterable

from bot.domain.errors import RejectedError
from bot.domain.request import Lora
from bot.domain.searching import nearest
from bot.domain.text import N_


def check(backend: str, option: str, name: str | None, known: Collection[str]) -> None:
    """Raise ``RejectedError`` with the nearest match unless ``name`` is left open or one of ``known``."""
    if name is None or name in known:
        return
    raise unknown(backend, option, name, known)


def check_loras(backend: str, loras: Iterable[Lora], known: Collection[str]) -> None:
    """Raise ``RejectedError`` for the first LoRA that is not one of ``known``."""
    for lora in loras:
        check(backend, "lora", lora.name, known)


def unknown(backend: str, option: str, name: str, known: Collection[str]) -> RejectedError:
    """Return the words for a name that the server does not have."""
    near = nearest(name, known)
    if near is None:
        return RejectedError(
            N_("{backend} has no {option} to choose."),
            N_("Leave {option} out and ask again."),
            backend=backend,
            option=option,
        )
    return RejectedError(
        N_("{backend} has no {option} “{name}”."),
        N_("The nearest is “{nearest}”: ask again with that."),
        backend=backend,
        option=option,
        name=name[:100],
        nearest=near,
    )
