"""Samplers and schedulers by the names the WebUI gave them, and the classes of diffusers behind them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

AUTOMATIC = "Automatic"
DEFAULT = "DPM++ 2M"
"""The sampler of a request that names none."""
MAX_STEPS = 1000
"""A model knows no more steps of noise than it was trained on."""
_DISTILLED_STEPS = 50
_SPACINGS = ("SGM Uniform", "Uniform")
_SIGMAS = ("Karras", "Exponential", "Beta")
_KINDS: Mapping[str, Mapping[str, Any]] = {
    AUTOMATIC: {},
    "Karras": {"use_karras_sigmas": True},
    "Exponential": {"use_exponential_sigmas": True},
    "Beta": {"use_beta_sigmas": True},
    "SGM Uniform": {"timestep_spacing": "trailing"},
    "Uniform": {"timestep_spacing": "linspace"},
}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "Beta": ("scipy",),
    "LMS": ("scipy",),
    "DPM++ SDE": ("scipy", "torchsde"),
}
"""What diffusers itself does not bring along."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """A class of ``diffusers.schedulers`` with its options; ``automatic`` is what the WebUI then takes."""

    name: str
    kinds: tuple[str, ...] = _SPACINGS
    options: Mapping[str, Any] = field(default_factory=dict)
    automatic: str = AUTOMATIC
    max_steps: int = MAX_STEPS


_DPM = "DPMSolverMultistepScheduler"
_ALL = _SIGMAS + _SPACINGS
_SAMPLERS: Mapping[str, Sampler] = {
    "DPM++ 2M": Sampler(_DPM, _ALL, automatic="Karras"),
    "DPM++ 2M SDE": Sampler(_DPM, _ALL, {"algorithm_type": "sde-dpmsolver++"}, "Exponential"),
    "DPM++ 3M": Sampler(_DPM, _ALL, {"solver_order": 3}),
    "DPM++ 2S": Sampler("DPMSolverSinglestepScheduler", _SIGMAS, {"lower_order_final": True}, "Karras"),
    "DPM++ SDE": Sampler("DPMSolverSDEScheduler", _ALL, automatic="Karras"),
    "Euler a": Sampler("EulerAncestralDiscreteScheduler"),
    "Euler": Sampler("EulerDiscreteScheduler", _ALL),
    "Heun": Sampler("HeunDiscreteScheduler", _ALL),
    "DPM2": Sampler("KDPM2DiscreteScheduler", _ALL, automatic="Karras"),
    "DPM2 a": Sampler("KDPM2AncestralDiscreteScheduler", _ALL, automatic="Karras"),
    "LMS": Sampler("LMSDiscreteScheduler", _ALL),
    "DDIM": Sampler("DDIMScheduler"),
    "PLMS": Sampler("PNDMScheduler", options={"skip_prk_steps": True}),
    "UniPC": Sampler("UniPCMultistepScheduler", _ALL),
    "DEIS": Sampler("DEISMultistepScheduler", _ALL),
    "DDPM": Sampler("DDPMScheduler"),
    "LCM": Sampler("LCMScheduler", max_steps=_DISTILLED_STEPS),
    "TCD": Sampler("TCDScheduler", max_steps=_DISTILLED_STEPS),
}


def samplers() -> tuple[str, ...]:
    """Return the samplers that work with what is installed."""
    return tuple(name for name in _SAMPLERS if _works(name))


def schedulers() -> tuple[str, ...]:
    """Return the schedulers that work with what is installed."""
    return tuple(name for name in _KINDS if _works(name))


def kinds(sampler: str) -> Collection[str]:
    """Return the schedulers that ``sampler`` can be combined with."""
    return (AUTOMATIC, *_SAMPLERS[sampler].kinds)


def max_steps(sampler: str) -> int:
    """Return the most steps that ``sampler`` can take."""
    return _SAMPLERS[sampler].max_steps


def build(sampler: str, scheduler: str, config: Mapping[str, Any]) -> Any:
    """Return a new scheduler of diffusers for a model whose own one has ``config``; it serves one call."""
    import diffusers  # noqa: PLC0415 - only the painting process has it

    chosen = _SAMPLERS[sampler]
    kind = chosen.automatic if scheduler == AUTOMATIC else scheduler
    return getattr(diffusers, chosen.name).from_config(dict(config), **chosen.options, **_KINDS[kind])


def _works(name: str) -> bool:
    return all(find_spec(package) is not None for package in _NEEDS.get(name, ()))
