"""Samplers and schedulers: ComfyUI's own names, and those that people know from the WebUI."""

from collections.abc import Mapping

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
