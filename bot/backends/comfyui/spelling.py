"""Samplers and schedulers under the names people know from the WebUI, and under ComfyUI's own.

Listings show the WebUI's names, so that one command serves a mixed fleet; both are understood. Names that only
one of the two has stay as they are.
"""

from bot.domain.samplers import SAMPLERS, SCHEDULERS

__all__ = ["AUTOMATIC", "DEFAULT_SAMPLER", "DEFAULT_SCHEDULER", "SAMPLERS", "SCHEDULERS", "automatic"]

AUTOMATIC = "Automatic"
"""The WebUI's word for the schedule that a sampler likes best."""
DEFAULT_SAMPLER, DEFAULT_SCHEDULER = "dpmpp_2m", "normal"
_LIKED = {
    "karras": ("dpmpp_2m", "dpmpp_sde", "dpmpp_2s_ancestral", "dpm_2", "dpm_2_ancestral"),
    "exponential": ("dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"),
}


def automatic(sampler: str, known: tuple[str, ...]) -> str:
    """Return the schedule that the WebUI's ``Automatic`` takes for ``sampler``; all names are ComfyUI's."""
    liked = next((schedule for schedule, samplers in _LIKED.items() if sampler in samplers), DEFAULT_SCHEDULER)
    return liked if liked in known or not known else known[0]
