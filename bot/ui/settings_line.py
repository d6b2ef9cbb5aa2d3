"""Everything that can be chosen in one line, as ``more`` and forms take it: ``steps 25 · hires 2 · tiling on``."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

from bot.domain.errors import RequestError
from bot.domain.options import Options, Shape
from bot.domain.request import (
    Control,
    Detail,
    FaceSwap,
    Hires,
    Mask,
    PaintRequest,
    Resize,
)
from bot.domain.searching import matches
from bot.domain.text import N_
from bot.ui import values
from bot.ui.settings import BY_NAME, SETTINGS, Setting, Typed
from bot.ui.words import cut

EXAMPLE = "768×512 · steps 25 · cfg 7 · count 1"
_WHOLES: Mapping[str, type] = {"hires": Hires, "mask": Mask, "controls": Control, "face_swap": FaceSwap}
_SAID_ALWAYS = frozenset({"hires.scale", "controls.model"})
_SAME = ({"size", "width"}, {"size", "height"})
_ONE = N_("Leave one of them out.")
_ELSEWHERE = frozenset({"prompt", "negative_prompt", "model", "seed"})
"""What a form has fields of its own for."""


class Chosen:
    """Takes choices one after the other; what can be chosen once is taken once."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._parts: dict[str, dict[str, Any]] = {}
        self._typed: dict[str, Any] = {}
        self._taken: list[str] = []

    def typed(self) -> Typed:
        """Return what was taken."""
        return Typed(options=Options(**self._fields, parts=self._parts or None), **self._typed)

    def take(self, setting: Setting, value: Any) -> None:
        """Take one value, as it was read; raises ``RequestError`` if another one says the same."""
        self._check_new(setting)
        name, dot, part = setting.target.partition(".")
        if name == "typed":
            self._typed[part] = value
        elif name == "details[]":
            self._detail(setting, part, value)
        elif name.endswith("[]"):
            name = name.removesuffix("[]")
            self._fields[name] = (*self._fields.get(name, ()), *value)
        elif dot:
            self._parts.setdefault(name, {})[part] = value
        elif name == "size" and not isinstance(value, Shape):
            self._fields |= {"width": value[0], "height": value[1], "shape": None}
        else:
            self._fields["shape" if name == "size" else name] = value

    def _check_new(self, setting: Setting) -> None:
        if "[]" in setting.target:
            return
        for name in self._taken:
            if name == setting.name:
                raise RequestError(N_("“{option}” is there twice."), _ONE, option=name)
            if {name, setting.name} in _SAME:
                raise RequestError(
                    N_("“{option}” and “{other}” say the same twice."), _ONE, option=name, other=setting.name
                )
        self._taken.append(setting.name)

    def _detail(self, setting: Setting, part: str, value: Any) -> None:
        found = self._fields.get("details", ())
        if not part:
            self._fields["details"] = (*found, Detail(value))
        elif found:
            self._fields["details"] = (*found[:-1], replace(found[-1], **{part: value}))
        else:
            raise RequestError(
                N_("{option} says nothing without a detail before it."),
                N_("Write the detail first: {example}"),
                option=setting.name,
                example=f"detail face_yolov8n.pt · {setting.name} {setting.write(value)}",
            )


def read(line: str) -> Typed:
    """Return what a settings line chooses; raises ``RequestError`` naming the part that says nothing."""
    chosen = Chosen()
    for part in values.parts(line):
        setting, text = _named(part)
        chosen.take(setting, setting.read(setting.name, text if setting.raw else values.unquoted(text)))
    return chosen.typed()


def names(line: str) -> frozenset[str]:
    """Return the names of the settings that a line chooses; width and height are also called size."""
    found = {_named(part)[0].name for part in values.parts(line)}
    return frozenset(found | {"width", "height"} if "size" in found else found)


def _named(part: str) -> tuple[Setting, str]:
    name, text = split(part)
    setting = BY_NAME.get(name.lower())
    if setting is not None and text:
        return setting, text
    try:
        values.size("size", part)
    except RequestError:
        near = matches(name, list(BY_NAME), most=1) if setting is None else []
        raise RequestError(
            N_("“{part}” in the settings says nothing to me."),
            N_("Did you mean “{nearest}”? Write it like this: {example}")
            if near
            else N_("Write it like this: {example}"),
            part=cut(part, 100),
            nearest="".join(near),
            example=EXAMPLE,
        ) from None
    return BY_NAME["size"], part


def split(part: str) -> tuple[str, str]:
    """Return a part's name and the rest: ``steps: 25`` and ``Steps=25`` are ``steps 25``."""
    name = part[: next((i for i, mark in enumerate(part) if not (mark.isalnum() or mark == "_")), len(part))]
    rest = part[len(name) :].lstrip()
    return name, rest[1:].lstrip() if rest[:1] in {":", "="} else rest


def write(options: Options, *, without: frozenset[str] = _ELSEWHERE, most: int | None = None) -> str:
    """Return the line that says what ``options`` choose; one beyond ``most`` characters ends between two settings.

    ``without`` are the names of settings that are said elsewhere.
    """
    line = ""
    for part in _written(options, without):
        longer = f"{line}{values.SEPARATOR}{part}" if line else part
        if most is not None and len(longer) > most:
            break
        line = longer
    return line


def write_typed(typed: Typed, *, most: int) -> str:
    """Return the same of all that was typed, as far as no form has fields of its own for it."""
    said = {"preset": typed.preset, "private": typed.private}
    parts = [_said(BY_NAME[name], value) for name, value in said.items() if value is not None]
    line = write(typed.options, most=most - sum(len(part) + len(values.SEPARATOR) for part in parts))
    return values.SEPARATOR.join(filter(None, [line, *parts]))


def said(request: PaintRequest) -> Options:
    """Return what there is to say of an order: all that is not as in every plain one."""
    options = Options.of(request)
    quiet = ("tiling", "restore_faces", "negative_prompt", "loras", "styles", "details")
    return replace(
        options,
        **{name: getattr(options, name) or None for name in quiet},
        resize=None if options.resize is Resize.CROP else options.resize,
    )


def without(options: Options, shown: frozenset[str]) -> Options:
    """Return ``options`` with the settings of these names left open; pictures stay."""
    for setting in SETTINGS:
        if setting.name not in shown:
            continue
        name, _, part = setting.target.partition(".")
        name = name.removesuffix("[]")
        if name == "controls" and part == "model":
            options = replace(options, controls=None, parts=_less(options.parts, name, None))
        elif part and name in _WHOLES:
            options = _plain(options, name, part)
        elif name not in {"typed", "size"}:
            options = replace(options, **{name: None})
    return options


def _plain(options: Options, name: str, part: str) -> Options:
    """Return ``options`` with one part of a whole as it is where nobody chooses."""
    options = replace(options, parts=_less(options.parts, name, part))
    whole = getattr(options, name)
    if name == "hires" and part == "scale":
        return replace(options, hires=None)
    plain = _default(name, part)
    if isinstance(whole, tuple):
        changed: Any = tuple(replace(each, **{part: plain}) for each in whole)
    else:
        changed = whole and replace(whole, **{part: plain})
    return replace(options, **{name: changed})


def _less(
    parts: Mapping[str, Mapping[str, Any]] | None, name: str, part: str | None
) -> Mapping[str, Mapping[str, Any]] | None:
    kept = {**(parts or {})}
    kept[name] = {key: value for key, value in kept.get(name, {}).items() if part is not None and key != part}
    return {key: value for key, value in kept.items() if value} or None


def _written(options: Options, without: frozenset[str]) -> Iterator[str]:
    for setting in SETTINGS:
        if setting.name in without or setting.target.startswith(("typed.", "details[].")):
            continue
        if setting.target == "size":
            yield from _size(options)
        elif setting.name in {"width", "height"} and None not in {options.width, options.height}:
            continue
        elif setting.target == "details[]":
            yield from _details(options)
        elif setting.target.endswith("[]"):
            for each in getattr(options, setting.target.removesuffix("[]")) or ():
                yield f"{setting.name} {setting.write(each)}"
        else:
            yield from (_said(setting, value) for value in _values(options, setting.target))


def _said(setting: Setting, value: Any) -> str:
    return f"{setting.name} {values.quoted(setting.write(value))}"


def _size(options: Options) -> Iterator[str]:
    if options.width is not None and options.height is not None:
        yield f"{options.width}×{options.height}"
    elif options.shape is not None:
        yield f"size {options.shape.value}"


def _details(options: Options) -> Iterator[str]:
    for detail in options.details or ():
        for setting in SETTINGS:
            name, _, part = setting.target.partition(".")
            if name == "details[]":
                value = getattr(detail, part or "model")
                if not part or value != getattr(_PLAIN_DETAIL, part):
                    yield _said(setting, value)


def _values(options: Options, target: str) -> Iterator[Any]:
    """Return the value that ``options`` have for a target, or nothing."""
    name, dot, part = target.partition(".")
    if not dot:
        if (value := getattr(options, name)) is not None:
            yield value
        return
    chosen = (options.parts or {}).get(name, {})
    if part in chosen:
        yield chosen[part]
    elif getattr(options, name):
        value = options.part(name, part)
        if target in _SAID_ALWAYS or value != _default(name, part):
            yield value


_PLAIN_DETAIL = Detail("")


def _default(name: str, part: str) -> Any:
    found = next(each.default for each in fields(_WHOLES[name]) if each.name == part)
    return None if found is MISSING else found
