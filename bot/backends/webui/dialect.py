"""In what the servers of the WebUI's family differ when they are asked to paint: all of it is here.

What a server merely has or lacks (lists, extensions, routes) is no matter of dialect: it is asked, see
``survey``. Sources: the OpenAPI descriptions and answers of AUTOMATIC1111 1.10.1, Forge f2.0.1, SD.Next of
2026-07, stable-diffusion.cpp's ``examples/server`` and koboldcpp 1.76.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.capability import Feature
from bot.domain.request import Resize

CLIP_SKIP = "CLIP_stop_at_last_layers"
_DUMMY_HASH = "8888888888"
"""What stable-diffusion.cpp and koboldcpp tell of every model."""
_PAINTS = frozenset(
    {
        Feature.IMG2IMG,
        Feature.INPAINT,
        Feature.HIRES,
        Feature.TILING,
        Feature.CLIP_SKIP,
        Feature.VARIATION,
        Feature.OVERRIDES,
    }
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kin, by what it wants other than AUTOMATIC1111's WebUI does.

    ``features`` come with the kin itself, ``never`` are those it has not whatever it lists; the others depend on
    what is installed. ``lacks`` are fields it does not
    know, ``renames`` those it calls otherwise. ``settings`` are the overrides that go with every request, with
    the value they have when nobody set them. ``clip_skip`` is the setting for it, ``None`` if it is a field of
    the request. ``vaes`` is the route of its VAEs, ``vae`` the setting that chooses one, ``several_vaes`` if
    that takes a list. ``tags``: LoRAs are read from the prompt. ``joins``: sampler names carry the scheduler.
    ``hires`` are fields that its hires fix wants beside the others, ``hires_strength`` is what that calls its
    strength.
    """

    name: str
    features: frozenset[Feature] = _PAINTS
    never: frozenset[Feature] = frozenset()
    lacks: frozenset[str] = frozenset()
    renames: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=lambda: {CLIP_SKIP: 1})
    clip_skip: str | None = CLIP_SKIP
    vaes: str = "sd-vae"
    vae: str = "sd_vae"
    several_vaes: bool = False
    tags: bool = True
    joins: bool = False
    hires: Mapping[str, Any] = field(default_factory=dict)
    hires_strength: str = "denoising_strength"
    resize: Mapping[Resize, int] = field(
        default_factory=lambda: {Resize.STRETCH: 0, Resize.CROP: 1, Resize.FILL: 2, Resize.LATENT: 3}
    )


A1111 = Dialect("AUTOMATIC1111")
FORGE = Dialect(
    "Forge",
    vaes="sd-modules",
    vae="forge_additional_modules",
    several_vaes=True,
    # Without it the hires fix ends in a 500.
    hires={"hr_additional_modules": ["Use same choices"]},
)
SDNEXT = Dialect(
    "SD.Next",
    features=_PAINTS | {Feature.HIRES_IMG2IMG},
    # Its answer to an upscaling fails its own check (status 500); for the others its requests have no field.
    never=frozenset({Feature.UPSCALE, Feature.RESTORE_FACES, Feature.REFINER}),
    lacks=frozenset({"force_task_id", "scheduler"}),
    settings={},
    clip_skip=None,
    joins=True,
    # Without the one only latent upscalers get a second pass, without the other it stays at the first's size.
    hires={"hr_force": True, "hr_resize_mode": 1},
    hires_strength="hr_denoising_strength",
    # Its modes are None, Fixed, Crop, Fill …; it has no latent one.
    resize={Resize.STRETCH: 1, Resize.CROP: 2, Resize.FILL: 3, Resize.LATENT: 1},
)
SDCPP = Dialect(
    "stable-diffusion.cpp",
    features=frozenset({Feature.CLIP_SKIP}),
    lacks=frozenset({"force_task_id", "override_settings", "save_images", "styles"}),
    renames={"n_iter": "batch_size", "hr_second_pass_steps": "hr_steps"},
    settings={},
    clip_skip=None,
    tags=False,
)
KOBOLD = replace(SDCPP, name="koboldcpp", features=frozenset({Feature.CLIP_SKIP, Feature.IMG2IMG}))
_SDCPP_FEATURES = {"init_image": Feature.IMG2IMG, "mask_image": Feature.INPAINT, "hires": Feature.HIRES}


def recognise(hashes: Collection[str], version: Any, modules: Any, sdcpp: Any) -> Dialect:
    """Return the dialect of a server by what it answers.

    ``hashes`` are those of its models, the others are its ``/sdapi/v1/version``, ``/sdapi/v1/sd-modules`` and
    ``/sdcpp/v1/capabilities``, ``None`` where it has no such route.
    """
    if isinstance(version, dict) and version.get("app") == "sd.next":
        return SDNEXT
    if isinstance(modules, list):
        return FORGE
    if isinstance(sdcpp, dict):
        told = sdcpp.get("features")
        can = {feature for key, feature in _SDCPP_FEATURES.items() if isinstance(told, dict) and told.get(key)}
        return replace(SDCPP, features=SDCPP.features | can)
    return KOBOLD if _DUMMY_HASH in hashes else A1111
