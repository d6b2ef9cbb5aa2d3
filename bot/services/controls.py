"""Which ControlNet model is meant, and which module makes of a picture what that model reads: their names tell."""

from collections.abc import Iterable, Sequence

from bot.domain.capability import Feature, Listing
from bot.domain.errors import RequestError
from bot.domain.options import Options
from bot.domain.text import N_
from bot.services.catalogue import Catalogue

AS_IT_IS = "none"
"""The module that leaves a picture alone."""
_KINDS = (
    ("canny",),
    ("depth",),
    ("pose",),
    ("lineart",),
    ("scribble", "sketch"),
    ("softedge", "hed", "pidinet"),
    ("normal",),
    ("seg",),
    ("mlsd",),
    ("tile",),
    ("shuffle",),
    ("recolor",),
    ("blur",),
    ("inpaint",),
)
"""What such models read, by the words that name it in models and modules alike."""
_SHOWN = 3


def completed(options: Options, catalogue: Catalogue) -> Options:
    """Return ``options`` with the model and the module of a ControlNet that has a picture; see ``chosen``."""
    parts = (options.parts or {}).get("controls", {})
    whole = options.controls[0] if options.controls else None
    named = {"model", "module"} & parts.keys()
    if not (named or "image" in parts) or options.part("controls", "image") is None or (whole and not named):
        return options
    model, module = chosen(catalogue, options.part("controls", "model"), parts.get("module"))
    return options.with_parts("controls", model=model, module=module)


def chosen(catalogue: Catalogue, model: str | None, module: str | None) -> tuple[str, str | None]:
    """Return the model and the module that are meant, with what was left open chosen by name.

    ``model`` may be a part of a name ("depth"). Raises ``RequestError`` where nobody has it, or where more than
    one would do.
    """
    models, modules = catalogue.names(Listing.CONTROL_MODELS), catalogue.names(Listing.CONTROL_MODULES)
    if not models or not catalogue.offers(Feature.CONTROL):
        if not catalogue.all_told:
            raise RequestError(
                N_("Nobody knows yet which ControlNet models there are here: a backend is away."),
                N_("Ask again when it is back, or leave it out."),
            )
        raise RequestError(
            N_("No backend here has {what}."), N_("Leave it out and ask again."), what=Feature.CONTROL.value
        )
    found = _model(models, model, module)
    if found is None and model is None:
        raise RequestError(
            N_("There are several ControlNet models, and each reads something else in a picture."),
            N_("Choose one as control_model: {models} …"),
            models=", ".join(_some(models)),
        )
    catalogue.check_name(Listing.CONTROL_MODELS, "control_model", found or model)
    if module is None:
        return found or "", _of_kind(modules, found or "")
    if module.casefold() == AS_IT_IS:
        return found or "", None
    catalogue.check_name(Listing.CONTROL_MODULES, "control_module", module)
    return found or "", module


def _model(models: Sequence[str], typed: str | None, module: str | None) -> str | None:
    """Return the model that is meant, ``None`` if that cannot be told."""
    usable = [name for name in models if name.casefold() != AS_IT_IS]
    if typed is None:
        return _of_kind(usable, module or "") or (usable[0] if len(usable) == 1 else None)
    if typed in usable:
        return typed
    return next((name for name in usable if typed.casefold() in name.casefold()), None)


def _of_kind(names: Iterable[str], like: str) -> str | None:
    """Return the first of ``names`` that tells of the same as ``like``; ``None`` if that one tells nothing."""
    words = next((kind for kind in _KINDS if _tells(like, kind)), None)
    return None if words is None else next((name for name in names if _tells(name, words)), None)


def _tells(name: str, words: Sequence[str]) -> bool:
    return any(word in name.casefold() for word in words)


def _some(models: Sequence[str]) -> list[str]:
    return [name[:100] for name in models if name.casefold() != AS_IT_IS][:_SHOWN]
