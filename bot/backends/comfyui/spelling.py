"""Samplers and schedulers under the names people know from the WebUI, and under ComfyUI's own.

Listings show the WebUI's names, so that one command serves a mixed fleet; both are understood. Names that only
one of the two has stay as they are.
"""

from collections.abc import Mapping

AUTOMATIC = "Automatic"
"""The WebUI's word for the schedule that a sampler likes best."""
SAMPLERS: Mapping[str, str] = {
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_sde": "DPM++ SDE",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun",
    "dpmpp_2s_ancestral": "DPM++ 2S a",
    "dpmpp_3m_sde": "DPM++ 3M SDE",
    "euler_ancestral": "Euler a",
    "euler": "Euler",
    "lms": "LMS",
    "heun": "Heun",
    "dpm_2": "DPM2",
    "dpm_2_ancestral": "DPM2 a",
    "dpm_fast": "DPM fast",
    "dpm_adaptive": "DPM adaptive",
    "ddim": "DDIM",
    "ddpm": "DDPM",
    "uni_pc": "UniPC",
    "lcm": "LCM",
    "deis": "DEIS",
    "heunpp2": "HeunPP2",
    "ipndm": "IPNDM",
    "ipndm_v": "IPNDM_V",
}
SCHEDULERS: Mapping[str, str] = {
    "karras": "Karras",
    "exponential": "Exponential",
    "sgm_uniform": "SGM Uniform",
    "kl_optimal": "KL Optimal",
    "normal": "Normal",
    "simple": "Simple",
    "ddim_uniform": "DDIM",
    "beta": "Beta",
}
DEFAULT_SAMPLER, DEFAULT_SCHEDULER = "dpmpp_2m", "normal"
_LIKED = {
    "karras": ("dpmpp_2m", "dpmpp_sde", "dpmpp_2s_ancestral", "dpm_2", "dpm_2_ancestral"),
    "exponential": ("dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde"),
}


def automatic(sampler: str, known: tuple[str, ...]) -> str:
    """Return the schedule that the WebUI's ``Automatic`` takes for ``sampler``; all names are ComfyUI's."""
    liked = next((schedule for schedule, samplers in _LIKED.items() if sampler in samplers), DEFAULT_SCHEDULER)
    return liked if liked in known or not known else known[0]
