"""What the painting process's troubles are called for people."""

from bot.backends import errors
from bot.domain.errors import BackendError, ProtocolError, RejectedError, UnreachableError
from bot.domain.request import ControlMode
from bot.domain.text import N_


def trouble(backend: str, kind: str, about: str) -> BackendError:
    """Return the words for what the painting process says went wrong; see ``trouble.Kind`` there."""
    if kind == "memory":
        return errors.out_of_memory(backend)
    if kind == "bug":
        return ProtocolError(
            N_("{backend} failed at this picture."),
            N_("Try again; if it stays so, its host finds more in the bot's log."),
            backend=backend,
        )
    message, hint = _REFUSALS[kind]
    return RejectedError(message, hint, backend=backend, name=about[:100])


_REFUSALS = {
    "model": (
        N_("{backend} cannot load the model “{name}”."),
        N_("Choose another one; its host finds more in the bot's log."),
    ),
    "family": (
        N_("{backend} paints with models like Stable Diffusion 1.5 and SDXL; “{name}” is of another kind."),
        N_("Choose another one."),
    ),
    "configuration": (
        N_("{backend} lacks the configuration of the model “{name}”."),
        N_(
            "Its host has to put a diffusers folder of the same kind beside it, "
            "or let it be downloaded once (HF_HUB_OFFLINE=0)."
        ),
    ),
    "lora": (
        N_("The LoRA “{name}” does not fit this model at {backend}."),
        N_("Leave it out, or choose the model that it was made for."),
    ),
    "control": (
        N_("The ControlNet “{name}” does not fit this model at {backend}."),
        N_("Choose one that was made for the same kind of model."),
    ),
    "nothing": (
        N_("{backend} came to numbers that make no picture."),
        N_("Choose another sampler, scheduler or CFG scale."),
    ),
}


def not_installed(backend: str) -> BackendError:
    """Return the words for a bot without the extra."""
    return BackendError(
        N_("{backend} needs the extra “diffusers” (make diffusers, or pip install '.[diffusers]')."),
        N_("Its host has to install it and start the bot again."),
        backend=backend,
    )


def no_models(backend: str) -> BackendError:
    """Return the words for a source without a model."""
    return BackendError(
        N_("{backend} finds no model: EASEL_BACKENDS must name a hub's id, a folder or a .safetensors file."),
        N_("Its host has to mend that."),
        backend=backend,
    )


def not_here(backend: str, name: str) -> BackendError:
    """Return the words for a model of the hub that is not on this machine and may not be downloaded."""
    return BackendError(
        N_(
            "{backend} finds no “{name}” on this machine, neither a file or folder nor downloaded from the hub: "
            "mend it in EASEL_BACKENDS, or let it be downloaded once (HF_HUB_OFFLINE=0)."
        ),
        N_("Its host has to mend that."),
        backend=backend,
        name=name,
    )


def no_device(backend: str, device: str) -> BackendError:
    """Return the words for a device that is not there."""
    return BackendError(
        N_("{backend} cannot use the device {device}: try cuda, mps or cpu, or leave it out."),
        N_("Its host has to mend that."),
        backend=backend,
        device=device,
    )


def ended_early(backend: str) -> BackendError:
    """Return the words for a process that ended before it was ready."""
    return UnreachableError(
        N_("{backend} ended while it started; the bot's log says why."),
        N_("The job keeps its place and is painted when it is back."),
        backend=backend,
    )


def bad_number(backend: str, option: str, needed: str) -> RejectedError:
    """Return the words for a number that cannot be painted with."""
    return RejectedError(
        N_("{backend} cannot paint that: {option} must be {needed}."),
        N_("Change it and ask again."),
        backend=backend,
        option=option,
        needed=needed,
    )


def not_together(backend: str, one: str, other: str) -> RejectedError:
    """Return the words for two choices that exclude each other."""
    return RejectedError(
        N_("{backend} cannot combine {one} with {other}."),
        N_("Change one of the two and ask again."),
        backend=backend,
        one=one,
        other=other,
    )


def no_mode(backend: str, mode: ControlMode) -> RejectedError:
    """Return the words for a way of leading that it does not have."""
    return RejectedError(
        N_("{backend} does not have the ControlNet mode “{mode}”."),
        N_("Leave it out and ask again."),
        backend=backend,
        mode=mode.value,
    )
