"""What Discord takes as components: rows of buttons and menus, layouts, the fields of a modal."""

from collections.abc import Sequence
from copy import deepcopy

from bot.rehearsal.errors import FormErrors, Json
from bot.rehearsal.world import walk

ROW, BUTTON, SELECT, TEXT_INPUT = 1, 2, 3, 4
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABEL, FILE_UPLOAD = 17, 18, 19
"""Component types (Discord docs, Component Reference)."""
SELECTS = {SELECT, 5, 6, 7, 8}
LINK, PREMIUM = 5, 6
_TOP_LEVEL = {ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER}
_MODAL_FIELDS = {*SELECTS, TEXT_INPUT, FILE_UPLOAD}
_MAX_ROWS = 5
_MAX_IN_LAYOUT = 40
_MAX_LAYOUT_TEXT = 4000

Path = Sequence[str | int]


def check(components: object, errors: FormErrors, path: Path, *, layout: bool) -> None:
    """Note what is wrong with a message's components; ``layout`` is the components-v2 flag."""
    if not errors.count(path, components, 0, _MAX_IN_LAYOUT if layout else _MAX_ROWS):
        return
    assert isinstance(components, list)  # noqa: S101 - count() has seen to it
    for i, component in enumerate(components):
        if component.get("type") not in (_TOP_LEVEL if layout else {ROW}):
            errors.add((*path, i, "type"), "BASE_TYPE_CHOICES", "This component can not stand here.")
            continue
        _component(component, errors, (*path, i))
    everything = walk(components)
    _unique_ids(everything, errors, path)
    if layout:
        if len(everything) > _MAX_IN_LAYOUT:
            errors.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {_MAX_IN_LAYOUT} or fewer in total.")
        if sum(len(c["content"]) for c in everything if c["type"] == TEXT) > _MAX_LAYOUT_TEXT:
            errors.add(path, "COMPONENT_LAYOUT_TEXT", f"The text must be {_MAX_LAYOUT_TEXT} or fewer.")


def check_modal(data: Json, errors: FormErrors) -> None:
    """Note what is wrong with a modal."""
    path = ("data",)
    errors.length((*path, "custom_id"), data.get("custom_id"), 1, 100)
    errors.length((*path, "title"), data.get("title"), 1, 45)
    components = data.get("components")
    if not errors.count((*path, "components"), components, 1, 5):
        return
    assert isinstance(components, list)  # noqa: S101 - count() has seen to it
    for i, outer in enumerate(components):
        here = (*path, "components", i)
        if outer.get("type") == LABEL:
            errors.length((*here, "label"), outer.get("label"), 1, 45)
            if outer.get("description") is not None:
                errors.length((*here, "description"), outer["description"], 1, 100)
            inner = [outer["component"]] if outer.get("component") else []
        elif outer.get("type") == ROW:
            inner = outer.get("components", [])
            for j, text_input in enumerate(inner):
                errors.length((*here, "components", j, "label"), text_input.get("label"), 1, 45)
        elif outer.get("type") == TEXT:
            continue
        else:
            errors.add((*here, "type"), "BASE_TYPE_CHOICES", "This component can not stand in a modal.")
            continue
        if len(inner) != 1 or inner[0].get("type") not in _MODAL_FIELDS:
            errors.add(here, "BASE_TYPE_BAD_LENGTH", "Must hold exactly one field.")
            continue
        _modal_field(inner[0], errors, (*here, "component"))
    _unique_ids(walk(components), errors, (*path, "components"))


def numbered(components: list[Json]) -> list[Json]:
    """Give every component the ``id`` that Discord gives those that came without, in a copy without nulls."""
    components = deepcopy(components)
    taken = {c["id"] for c in walk(components) if c.get("id")}
    following = iter(n for n in range(1, 10_000) if n not in taken)
    for component in walk(components):
        if not component.get("id"):
            component["id"] = next(following)
        for holder in (component, *component.get("options", ())):
            if holder.get("emoji"):
                holder["emoji"] = {key: value for key, value in holder["emoji"].items() if value is not None}
    return components


def _component(component: Json, errors: FormErrors, path: Path) -> None:
    _CHECKS[component["type"]](component, errors, path)


def _section(section: Json, errors: FormErrors, path: Path) -> None:
    if errors.count((*path, "components"), section.get("components"), 1, 3):
        _each(section["components"], {TEXT}, errors, (*path, "components"))
    _each([section.get("accessory") or {}], {BUTTON, THUMBNAIL}, errors, (*path, "accessory"))


def _text(text: Json, errors: FormErrors, path: Path) -> None:
    errors.length((*path, "content"), text.get("content"), 1, _MAX_LAYOUT_TEXT)


def _gallery(gallery: Json, errors: FormErrors, path: Path) -> None:
    if errors.count((*path, "items"), gallery.get("items"), 1, 10):
        for i, item in enumerate(gallery["items"]):
            _media(item, errors, (*path, "items", i))


def _container(container: Json, errors: FormErrors, path: Path) -> None:
    if errors.count((*path, "components"), container.get("components"), 1, _MAX_IN_LAYOUT):
        _each(container["components"], _TOP_LEVEL - {CONTAINER}, errors, (*path, "components"))


def _separator(separator: Json, errors: FormErrors, path: Path) -> None:
    if separator.get("spacing") not in {None, 1, 2}:
        errors.add((*path, "spacing"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")


def _each(components: list[Json], allowed: set[int], errors: FormErrors, path: Path) -> None:
    for i, component in enumerate(components):
        if component.get("type") not in allowed:
            errors.add((*path, i, "type"), "BASE_TYPE_CHOICES", "This component can not stand here.")
        else:
            _component(component, errors, (*path, i))


def _row(row: Json, errors: FormErrors, path: Path) -> None:
    inner = row.get("components")
    if not errors.count((*path, "components"), inner, 1, 5):
        return
    assert isinstance(inner, list)  # noqa: S101 - count() has seen to it
    for i, component in enumerate(inner):
        here = (*path, "components", i)
        if component.get("type") == BUTTON:
            _button(component, errors, here)
        elif component.get("type") in SELECTS:
            _field(component, errors, here)
        else:
            errors.add((*here, "type"), "BASE_TYPE_CHOICES", "A row takes buttons or one menu.")
    if len(inner) > 1 and any(c.get("type") in SELECTS for c in inner):
        errors.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")


def _button(button: Json, errors: FormErrors, path: Path) -> None:
    if button.get("style") not in range(1, 7):
        errors.add((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    if button.get("label") is not None:
        errors.length((*path, "label"), button["label"], 0, 80)
    if not button.get("label") and not button.get("emoji"):
        errors.add(path, "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji.")
    if button.get("style") == LINK:
        errors.length((*path, "url"), button.get("url"), 1, 512)
        if button.get("custom_id"):
            errors.add(
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
    elif button.get("style") != PREMIUM:
        errors.length((*path, "custom_id"), button.get("custom_id"), 1, 100)


def _modal_field(field: Json, errors: FormErrors, path: Path) -> None:
    if field.get("disabled"):
        errors.add((*path, "disabled"), "COMPONENT_DISABLED_IN_MODAL", "A modal takes no disabled component.")
    if field["type"] in SELECTS and field.get("required", True) and field.get("min_values") == 0:
        errors.add((*path, "min_values"), "NUMBER_TYPE_MIN", "What is required takes one value or more.")
    _field(field, errors, path)


def _field(field: Json, errors: FormErrors, path: Path) -> None:
    errors.length((*path, "custom_id"), field.get("custom_id"), 1, 100)
    if field.get("placeholder") is not None:
        errors.length((*path, "placeholder"), field["placeholder"], 0, 100 if field["type"] == TEXT_INPUT else 150)
    if field["type"] == TEXT_INPUT:
        if field.get("style") not in {1, 2}:
            errors.add((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
        if field.get("value") is not None:
            errors.length(
                (*path, "value"), field["value"], field.get("min_length") or 0, field.get("max_length") or 4000
            )
        for bound in ("min_length", "max_length"):
            if not 0 <= (field.get(bound) or 0) <= 4000:  # noqa: PLR2004 - Discord's cap
                errors.add((*path, bound), "NUMBER_TYPE_MAX", "int value should be less than or equal to 4000.")
    elif field["type"] == SELECT:
        _options(field, errors, path)


def _options(select: Json, errors: FormErrors, path: Path) -> None:
    options = select.get("options")
    if not errors.count((*path, "options"), options, 1, 25):
        return
    assert isinstance(options, list)  # noqa: S101 - count() has seen to it
    for i, option in enumerate(options):
        here = (*path, "options", i)
        errors.length((*here, "label"), option.get("label"), 1, 100)
        errors.length((*here, "value"), option.get("value"), 1, 100)
        if option.get("description") is not None:
            errors.length((*here, "description"), option["description"], 0, 100)
    if len({option.get("value") for option in options}) < len(options):
        errors.add(
            (*path, "options"),
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
            "The specified option value is already used",
        )
    if (select.get("max_values") or 1) > len(options):
        errors.add((*path, "max_values"), "NUMBER_TYPE_MAX", "There are fewer options than that.")


def _media(holder: Json, errors: FormErrors, path: Path) -> None:
    key = "file" if holder.get("type") == FILE else "media"
    errors.length((*path, key, "url"), (holder.get(key) or {}).get("url"), 1, 2048)
    if holder.get("description") is not None:
        errors.length((*path, "description"), holder["description"], 1, 1024)


def _unique_ids(components: list[Json], errors: FormErrors, path: Path) -> None:
    ids = [c["custom_id"] for c in components if c.get("custom_id")]
    if len(ids) > len(set(ids)):
        errors.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")


_CHECKS = {
    ROW: _row,
    BUTTON: _button,
    SECTION: _section,
    TEXT: _text,
    THUMBNAIL: _media,
    GALLERY: _gallery,
    FILE: _media,
    SEPARATOR: _separator,
    CONTAINER: _container,
}
