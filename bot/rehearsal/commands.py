"""The bot's registered commands, checked as Discord checks them (Discord docs, Application Commands)."""

import re
from collections.abc import Iterator
from typing import Any

from bot.rehearsal.errors import FormErrors, Json
from bot.rehearsal.snowflakes import Snowflakes

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)

_NAME = re.compile(r"[-_'\w]{1,32}")
_LOCALES = frozenset(
    {
        *("bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "hi", "hr", "hu", "id"),
        *("it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk", "vi"),
        *("zh-CN", "zh-TW"),
    }
)
"""Discord's languages (Discord docs, Reference, Locales)."""
_MAX_OPTIONS = 25
_MAX_CHARACTERS = 8000
_MAX_COMMANDS = {CHAT: 100, USER_MENU: 15, MESSAGE_MENU: 15}


class Commands:
    """What was registered: globally (``None``) and per guild."""

    def __init__(self, ids: Snowflakes, application_id: int) -> None:
        self._ids = ids
        self._application_id = application_id
        self._by_place: dict[int | None, list[Json]] = {}

    @property
    def any(self) -> bool:
        """Whether anything is registered."""
        return any(self._by_place.values())

    def all(self, guild_id: int | None) -> list[Json]:
        """Return the commands registered for one guild, or globally."""
        return self._by_place.get(guild_id, [])

    def offered(self, guild_id: int | None) -> list[Json]:
        """Return the commands one sees in a guild (a guild's own hide global ones), or outside of any."""
        own = [] if guild_id is None else self.all(guild_id)
        taken = {(command["type"], command["name"]) for command in own}
        return own + [c for c in self.all(None) if (c["type"], c["name"]) not in taken]

    def find(self, name: str, kind: int = CHAT, guild_id: int | None = None) -> Json | None:
        """Return the command called ``name`` as seen in a guild."""
        return next((c for c in self.offered(guild_id) if c["name"] == name and c["type"] == kind), None)

    def replace(self, commands: Any, guild_id: int | None) -> list[Json]:
        """Register exactly ``commands``; same names keep their ids; raises 50035."""
        found = FormErrors()
        if not isinstance(commands, list):
            found.add((), "BASE_TYPE_BAD_TYPE", "Must be an array.")
        found.raise_if_any()
        for i, command in enumerate(commands):
            check(command, found, (i,))
        for kind, most in _MAX_COMMANDS.items():
            names = [c.get("name") for c in commands if c.get("type", CHAT) == kind]
            if len(names) > most or len(names) > len(set(names)):
                found.add(
                    (), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique and few."
                )
        found.raise_if_any()
        before = {(c["type"], c["name"]): c for c in self.all(guild_id)}
        self._by_place[guild_id] = [self._registered(c, before, guild_id) for c in commands]
        return self.all(guild_id)

    def _registered(self, command: Json, before: dict[tuple[int, str], Json], guild_id: int | None) -> Json:
        kind = command.get("type") or CHAT
        old = before.get((kind, command["name"]))
        shape: Json = {
            "id": old["id"] if old else str(self._ids.next()),
            "application_id": str(self._application_id),
            "version": str(self._ids.next()),
            "type": kind,
            "name": command["name"],
            "description": command.get("description") or "",
            "name_localizations": command.get("name_localizations"),
            "description_localizations": command.get("description_localizations"),
            "default_member_permissions": command.get("default_member_permissions"),
            "nsfw": bool(command.get("nsfw")),
            "integration_types": command.get("integration_types") or [0],
            "contexts": command.get("contexts"),
            "options": command.get("options") or [],
        }
        if shape["default_member_permissions"] is not None:
            shape["default_member_permissions"] = str(shape["default_member_permissions"])
        if guild_id is not None:
            shape["guild_id"] = str(guild_id)
        return shape


def leaves(command: Json) -> Iterator[tuple[str, list[Json]]]:
    """Yield every callable path of a command (``model list``) with its options."""
    options = command.get("options") or []
    nested = [option for option in options if option["type"] in {SUBCOMMAND, GROUP}]
    if not nested:
        yield command["name"], options
    for option in nested:
        for path, inner in leaves(option):
            yield f"{command['name']} {path}", inner


def check(command: Json, found: FormErrors, path: tuple[str | int, ...]) -> None:
    """Note what is wrong with one command."""
    kind = command.get("type") or CHAT
    if kind != CHAT:
        found.length((*path, "name"), command.get("name"), 1, 32)
        _check_translations(command, "name", 32, found, path)
        if command.get("description"):
            found.add((*path, "description"), "APPLICATION_COMMANDS_DESCRIPTION", "Menus have no description.")
        return
    _check_name(command, found, path)
    found.length((*path, "description"), command.get("description"), 1, 100)
    _check_translations(command, "description", 100, found, path)
    _check_options(command.get("options") or [], found, (*path, "options"))
    for key, allowed in (("contexts", {0, 1, 2}), ("integration_types", {0, 1})):
        values = command.get(key)
        if values is not None and (not set(values) <= allowed or len(values) > len(set(values))):
            found.add((*path, key), "BASE_TYPE_CHOICES", f"Value must be one of {sorted(allowed)}.")
    if characters(command) > _MAX_CHARACTERS:
        found.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_MAX_CHARACTERS})")


def characters(command: Json) -> int:
    """Return how many characters of names, descriptions and choices count, in the longest language."""
    total = 0
    for key in ("name", "description"):
        translations = (command.get(f"{key}_localizations") or {}).values()
        total += max((len(text or "") for text in (command.get(key), *translations)), default=0)
    for choice in command.get("choices") or []:
        translations = (choice.get("name_localizations") or {}).values()
        total += max(len(text) for text in (choice["name"], *translations)) + len(str(choice["value"]))
    return total + sum(characters(option) for option in command.get("options") or [])


def _check_name(item: Json, found: FormErrors, path: tuple[str | int, ...]) -> None:
    name = item.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.lower():
        found.add((*path, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_translations(
    item: Json, name: str, longest: int, found: FormErrors, path: tuple[str | int, ...]
) -> None:
    key = f"{name}_localizations"
    for locale, text in (item.get(key) or {}).items():
        if locale not in _LOCALES:
            found.add((*path, key), "BASE_TYPE_CHOICES", f"{locale} is not a valid locale.")
        found.length((*path, key, locale), text, 1, longest)


def _check_options(options: list[Json], found: FormErrors, path: tuple[str | int, ...]) -> None:
    if not found.count(path, options, 0, _MAX_OPTIONS):
        return
    optional_seen = False
    for i, option in enumerate(options):
        here = (*path, i)
        _check_name(option, found, here)
        found.length((*here, "description"), option.get("description"), 1, 100)
        _check_translations(option, "description", 100, found, here)
        kind = option.get("type")
        if kind in {SUBCOMMAND, GROUP}:
            _check_options(option.get("options") or [], found, (*here, "options"))
            continue
        if option.get("required") and optional_seen:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            found.add(here, code, "Required options must be placed before non-required options")
        optional_seen = optional_seen or not option.get("required")
        _check_bounds(option, found, here)
        _check_choices(option, found, here)
    names = [option.get("name") for option in options]
    if len(names) > len(set(names)):
        found.add(path, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
    kinds = {option.get("type") in {SUBCOMMAND, GROUP} for option in options}
    if len(kinds) > 1:
        code = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"
        found.add(
            path, code, "Sub-command and sub-command group option types are mutually exclusive to all other types"
        )


def _check_bounds(option: Json, found: FormErrors, path: tuple[str | int, ...]) -> None:
    kind = option.get("type")
    if kind not in range(STRING, ATTACHMENT + 1):
        found.add((*path, "type"), "BASE_TYPE_CHOICES", "Unknown option type.")
    for key in ("min_value", "max_value"):
        value = option.get(key)
        if value is None:
            continue
        if kind not in {INTEGER, NUMBER} or (kind == INTEGER and not isinstance(value, int)) or abs(value) > 2**53:
            found.add((*path, key), "NUMBER_TYPE_COERCE", f"Value {value} does not fit the option.")
    for key in ("min_length", "max_length"):
        value = option.get(key)
        if value is not None and (kind != STRING or not 0 <= value <= 6000):  # noqa: PLR2004 - Discord's cap
            found.add((*path, key), "NUMBER_TYPE_COERCE", f"Value {value} does not fit the option.")


def _check_choices(option: Json, found: FormErrors, path: tuple[str | int, ...]) -> None:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        code = "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE"
        found.add(path, code, "autocomplete may not be set to true if choices are present.")
    if found.count((*path, "choices"), choices, 0, 25):
        check_choices(choices, found, (*path, "choices"))


def check_choices(choices: list[Json], found: FormErrors, path: tuple[str | int, ...]) -> None:
    """Note what is wrong with an option's choices, registered or suggested."""
    for i, choice in enumerate(choices):
        found.length((*path, i, "name"), choice.get("name"), 1, 100)
        _check_translations(choice, "name", 100, found, (*path, i))
        if isinstance(choice.get("value"), str):
            found.length((*path, i, "value"), choice["value"], 0, 100)
        elif not isinstance(choice.get("value"), int | float):
            found.required((*path, i, "value"))
