"""What a preset may hold, and presets as a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.domain.errors import RequestError
from bot.domain.job import Job
from bot.domain.limits import MAX_PROMPT
from bot.domain.options import Options
from bot.domain.request import Control, FaceSwap, Hires, Mask, PaintRequest
from bot.domain.snippets import MAX_SNIPPETS, Preset
from bot.domain.text import N_

ADMINS_OWN = ("script", "workflow", "save_images", "overrides", "extra")
"""Fields of ``Options`` that only those with Manage Server put into a preset."""
_GOVERNED = frozenset(
    {
        "prompt",
        "negative_prompt",
        "width",
        "height",
        "steps",
        "n_iter",
        "batch_size",
        "seed",
        "subseed",
        "enable_hr",
        "hr_scale",
        "hr_resize_x",
        "hr_resize_y",
        "hr_second_pass_steps",
        "hr_checkpoint_name",
        "refiner_checkpoint",
        "firstphase_width",
        "firstphase_height",
        "init_images",
        "mask",
        "script_name",
        "script_args",
        "override_settings",
        "override_settings_restore_afterwards",
        "send_images",
        "save_images",
        "force_task_id",
        "sd_model_checkpoint",
        "sd_checkpoint_hash",
    }
)
"""Raw fields that an option says, within the limits and rules of the place, which they would escape."""
_FOLDERS = ("outdir_", "directories_", "temp_dir", "font", "hypernetwork_dir")
"""What the names of settings begin with that say where a server writes and reads."""
_PICTURES = ("mask", "controls", "face_swap")
"""Fields that are nothing without a picture, which a preset does not keep."""
_PARTS: Mapping[str, type] = {"hires": Hires, "mask": Mask, "controls": Control, "face_swap": FaceSwap}
_PLAIN = PaintRequest("", 0)
_HINT = N_("See how one is written: /preset export")
_NO_JSON = N_("That file is no JSON.")
_NO_PRESETS = N_("That is no file of presets.")
_PICTURE = "picture"
_UNKNOWN = N_("In that file “{where}” is nothing I know.")
_UNFIT = N_("In that file “{where}” has a value that does not fit.")
_WRONG: Mapping[str, str] = {
    "missing": N_("In that file “{where}” is missing."),
    "extra_forbidden": _UNKNOWN,
    "unexpected_keyword_argument": _UNKNOWN,
    _PICTURE: N_("In that file “{where}” needs a picture, and a preset keeps none."),
}
"""What is wrong with a file, by the type of the error."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    prompt: str = Field("", max_length=MAX_PROMPT)
    options: Options = Options()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    presets: list[_Entry] = Field(min_length=1, max_length=MAX_SNIPPETS)


def of_request(request: PaintRequest) -> Options:
    """Return what a preset keeps of an order: all its choices but its seed and its pictures."""
    options = Options.of(request)
    # An empty choice would switch off what a lower layer has.
    chosen = {
        name: value for name in ("loras", "styles", "details", *ADMINS_OWN) if (value := getattr(options, name))
    }
    nothing = dict.fromkeys((*_PICTURES, "seed", "loras", "styles", "details", *ADMINS_OWN))
    return replace(options, **{**nothing, **chosen})


def without_admins_own(options: Options) -> Options:
    """Return ``options`` without what only a server's presets may hold."""
    return replace(options, **dict.fromkeys(ADMINS_OWN))


def brought(job: Job, payer: int) -> Job:
    """Return ``job`` as it may be followed where ``payer`` pays: what only a server's presets hold stays there."""
    if job.guild == payer:
        return job
    request = replace(job.spec.request, **{name: getattr(_PLAIN, name) for name in ADMINS_OWN})
    return replace(job, spec=replace(job.spec, request=request))


def checked(options: Options, *, server: bool) -> Options:
    """Return what of ``options`` can be kept; raises ``RequestError`` for what only a server keeps."""
    if found := next((name for name in ADMINS_OWN if getattr(options, name) and not server), None):
        raise RequestError(
            N_("Only a server's presets may hold “{option}”."),
            N_("Leave it out, or have somebody with Manage Server keep it for the server."),
            option=found,
        )
    for name in (*(options.overrides or ()), *(options.extra or ())):
        if name in _GOVERNED or name.startswith(_FOLDERS):
            raise RequestError(
                N_("“{name}” cannot be set raw."), N_("Say it by an option, or leave it out."), name=name[:100]
            )
    kept = {name: {key: value for key, value in part.items() if key != "image"} for name, part in _parts(options)}
    parts = {name: part for name, part in kept.items() if part}
    return replace(options, **dict.fromkeys((*_PICTURES, "seed")), parts=parts or None)


def revived(options: Options) -> Options:
    """Return stored ``options`` with the parts in their own types, which JSON does not keep."""
    parts = {name: dict(_typed(_PARTS[name], part)) for name, part in _parts(options) if name in _PARTS}
    return replace(options, parts=parts or None)


def exported(presets: Iterable[Preset]) -> bytes:
    """Return presets as a file that ``imported`` reads."""
    entries = [_Entry(name=each.name, prompt=each.prompt, options=each.options) for each in presets]
    if not entries:
        raise RequestError(N_("There is no preset to export."), N_("Keep one: /preset save"))
    file = _File(presets=entries)
    return file.model_dump_json(indent=2, exclude_none=True, exclude_defaults=True).encode()


def imported(data: bytes) -> tuple[Preset, ...]:
    """Read a file of presets; raises ``RequestError`` that names the first thing wrong."""
    try:
        file = _File.model_validate_json(data)
        raw = TypeAdapter(dict[str, Any]).validate_json(data)
        options = [revived(entry.options) for entry in file.presets]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise _wrong(first["loc"], first["type"]) from error
    for index, each in enumerate(options):
        if found := next((name for name in _PICTURES if getattr(each, name)), None):
            raise _wrong(("presets", index, "options", found), _PICTURE)
    if stray := next(_strays(raw, file.model_dump(mode="json"), ()), None):
        raise _wrong(stray, "extra_forbidden")
    return tuple(
        Preset(entry.name, checked(each, server=True), entry.prompt)
        for entry, each in zip(file.presets, options, strict=True)
    )


def _parts(options: Options) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return (options.parts or {}).items()


def _typed(of: type, part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(of)
    for name, value in part.items():
        if name in hints:
            yield name, TypeAdapter(hints[name]).validate_python(value)


def _strays(raw: Any, read: Any, where: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Yield where ``raw`` has keys that went nowhere: a misspelt name must not be passed over."""
    if isinstance(raw, dict) and isinstance(read, dict):
        for key, value in raw.items():
            if key not in read:
                yield (*where, key)
            else:
                yield from _strays(value, read[key], (*where, key))
    elif isinstance(raw, list) and isinstance(read, list):
        for index, (one, other) in enumerate(zip(raw, read, strict=False)):
            yield from _strays(one, other, (*where, index))


def _wrong(where: tuple[str | int, ...], reason: str) -> RequestError:
    """Return the refusal of a file: ``reason`` is a type of pydantic's errors (Usage Errors), or ``_PICTURE``."""
    if not where:
        return RequestError(_NO_JSON if reason == "json_invalid" else _NO_PRESETS, _HINT)
    match where:
        case ("presets", int(index), *rest):
            place = f"preset {index + 1}" + (f": {'.'.join(map(str, rest))}" if rest else "")
        case _:
            place = ".".join(map(str, where))
    return RequestError(_WRONG.get(reason, _UNFIT), _HINT, where=place[:200])
