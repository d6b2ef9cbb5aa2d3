"""What a backend can do, and what a request needs of one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.request import CutoutRequest, DescribeRequest, Order, PaintRequest, UpscaleRequest
from bot.domain.text import N_


class Listing(StrEnum):
    """The lists of names there are: what backends have, the backends themselves, and what people keep by name."""

    MODELS = "models"
    SAMPLERS = "samplers"
    SCHEDULERS = "schedulers"
    LORAS = "loras"
    UPSCALERS = "upscalers"
    HIRES_UPSCALERS = "hires_upscalers"
    VAES = "vaes"
    EMBEDDINGS = "embeddings"
    HYPERNETWORKS = "hypernetworks"
    STYLES = "styles"
    CONTROL_MODELS = "control_models"
    CONTROL_MODULES = "control_modules"
    DETAILERS = "detailers"
    FACE_RESTORERS = "face_restorers"
    INTERROGATORS = "interrogators"
    CUTTERS = "cutters"
    SCRIPTS = "scripts"
    WORKFLOWS = "workflows"
    BACKENDS = "backends"
    AREAS = "areas"
    EVERY_MODEL = "every_model"
    PRESETS = "presets"
    OWN_STYLES = "own_styles"
    WILDCARDS = "wildcards"


class Feature(StrEnum):
    """What some backends can do and others cannot; the value is the word for people."""

    IMG2IMG = N_("img2img")
    INPAINT = N_("inpainting")
    HIRES = N_("the hires fix")
    HIRES_IMG2IMG = N_("the hires fix on img2img")
    REFINER = N_("a refiner")
    TILING = N_("tiling")
    RESTORE_FACES = N_("face restoration")
    CLIP_SKIP = N_("CLIP skip")
    VARIATION = N_("variation seeds")
    CONTROL = N_("ControlNet")
    DETAIL = N_("ADetailer")
    FACE_SWAP = N_("face swapping")
    OVERRIDES = N_("raw WebUI settings")
    UPSCALE = N_("upscaling")
    INTERROGATE = N_("describing pictures")
    CUTOUT = N_("background removal")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a backend tells of a model or a LoRA beside its name; empty where it does not.

    ``hash`` is the WebUI's short one, ``family`` the kind of model as people call it, ``triggers`` are the words
    that it was trained to answer to.
    """

    hash: str = ""
    family: str = ""
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do right now; a missing listing means the backend has no such thing.

    ``kin`` says what it is and which version, for admins; ``facts`` are more such lines, by a short name.
    ``models`` and ``loras`` hold what it tells of those, by their listed names.
    """

    listings: Mapping[Listing, tuple[str, ...]]
    features: frozenset[Feature] = frozenset()
    loaded_model: str | None = None
    kin: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, ModelFacts] = field(default_factory=dict)
    loras: Mapping[str, ModelFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A name that a request uses: ``option`` is the word for it, ``listing`` where a backend must have it."""

    listing: Listing
    option: str
    name: str


_OTHER_THAN_PAINTING: Mapping[type[Order], Feature] = {
    UpscaleRequest: Feature.UPSCALE,
    CutoutRequest: Feature.CUTOUT,
    DescribeRequest: Feature.INTERROGATE,
}


def features(request: Order) -> frozenset[Feature]:
    """Return what a backend must be able to do for ``request``; an admin's workflow does it all by itself."""
    if not isinstance(request, PaintRequest):
        return frozenset({_OTHER_THAN_PAINTING[type(request)]})
    if request.workflow is not None:
        return frozenset()
    wanted = {
        Feature.IMG2IMG: request.init_image is not None,
        Feature.INPAINT: request.mask is not None,
        Feature.HIRES: request.hires is not None and request.init_image is None,
        Feature.HIRES_IMG2IMG: request.hires is not None and request.init_image is not None,
        Feature.REFINER: request.refiner is not None,
        Feature.TILING: request.tiling,
        Feature.RESTORE_FACES: request.restore_faces,
        Feature.CLIP_SKIP: request.clip_skip is not None,
        Feature.VARIATION: request.variation is not None,
        Feature.CONTROL: bool(request.controls),
        Feature.DETAIL: bool(request.details),
        Feature.FACE_SWAP: request.face_swap is not None,
        Feature.OVERRIDES: bool(request.overrides or request.extra or request.script),
    }
    return frozenset(feature for feature, needed in wanted.items() if needed)


def names(request: Order) -> Iterator[Named]:
    """Return every listed name that ``request`` uses."""
    match request:
        case PaintRequest():
            yield from _painting_names(request)
        case UpscaleRequest():
            for upscaler in filter(None, (request.upscaler, request.second)):
                yield Named(Listing.UPSCALERS, "upscaler", upscaler)
            for fix, taken in (("GFPGAN", request.gfpgan), ("CodeFormer", request.codeformer)):
                if taken:
                    yield Named(Listing.FACE_RESTORERS, N_("face restorer"), fix)
        case CutoutRequest(model=str(model)):
            yield Named(Listing.CUTTERS, N_("cutter"), model)
        case DescribeRequest(model=str(model)):
            yield Named(Listing.INTERROGATORS, N_("interrogator"), model)


def _painting_names(request: PaintRequest) -> Iterator[Named]:
    if request.workflow is not None:
        yield Named(Listing.WORKFLOWS, N_("workflow"), request.workflow.name)
        return
    single = (
        (Listing.MODELS, "model", request.model),
        (Listing.SAMPLERS, "sampler", request.sampler),
        (Listing.SCHEDULERS, "scheduler", request.scheduler),
        (Listing.VAES, "vae", request.vae),
        (Listing.HIRES_UPSCALERS, "upscaler", request.hires.upscaler if request.hires else None),
        (Listing.MODELS, "refiner", request.refiner.model if request.refiner else None),
        (Listing.SCRIPTS, N_("script"), request.script.name if request.script else None),
        (Listing.FACE_RESTORERS, N_("face restorer"), request.face_swap.restorer if request.face_swap else None),
    )
    several = (
        *((Listing.LORAS, "lora", lora.name) for lora in request.loras),
        *((Listing.STYLES, "style", style) for style in request.styles),
        *((Listing.CONTROL_MODELS, N_("ControlNet model"), control.model) for control in request.controls),
        *((Listing.CONTROL_MODULES, N_("ControlNet module"), control.module) for control in request.controls),
        *((Listing.DETAILERS, N_("detailer"), detail.model) for detail in request.details),
    )
    for listing, option, name in (*single, *several):
        if name is not None:
            yield Named(listing, option, name)
