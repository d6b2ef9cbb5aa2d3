"""A server's settings, with those of its channels, as a file to take along, to keep, or to bring back."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, StringConstraints, ValidationError, create_model

from bot.domain.errors import RequestError
from bot.domain.text import N_
from bot.services.bounded import Bounded, entries, items
from bot.services.models import MAX_PATTERN, MAX_PATTERNS
from bot.services.preferences import RULE_NAMES, SETTABLE, WORDS, Scope, Values, kind
from bot.services.wording import WordsFile, filed, read, ruled, written

MAX_FILE_BYTES = 1024 * 1024
"""Enough for as many word rules as there may be, beside some hundred channels."""
NAME = "easel-settings.json"
MAX_CHANNELS = 500
"""Most channels that a server has (Discord docs, Guild limits)."""
_Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
_Word = Annotated[_Text, StringConstraints(min_length=1)]
_LINE = r"^[^\n\v\f\r\x1c-\x1e\x85\u2028\u2029]*$"
"""What ``str.splitlines`` leaves whole."""
_Pattern = Annotated[_Word, StringConstraints(max_length=MAX_PATTERN, pattern=_LINE)]
_Patterns = Annotated[list[_Pattern], items(MAX_PATTERNS)]
_LINES = (*RULE_NAMES, "adult_models")
"""What is kept as lines and stands in a file as a list."""
_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(_LINES, _Patterns),
    "negative_prompt": _Text,
    WORDS: WordsFile,
}


@dataclass(frozen=True, slots=True)
class Whole:
    """All that a server and its channels have set, the latter by their ids."""

    server: Values
    channels: Mapping[int, Values]


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that a file has otherwise; ``channel_id`` is ``None`` for the server's own."""

    channel_id: int | None
    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Import:
    """What a file is to put in the place of what there was before."""

    before: Whole
    wanted: Whole

    @property
    def changes(self) -> list[Difference]:
        """What that changes."""
        return differences(self.before, self.wanted)


class _Part(Bounded):
    model_config = ConfigDict(strict=True)


def _part(title: str, names: Collection[str]) -> type[_Part]:
    fields: dict[str, Any] = {name: (_annotation(name) | None, None) for name in names}
    return create_model(title, __base__=_Part, **fields)


def _annotation(name: str) -> Any:
    known = _KINDS.get(name, kind(name))
    return _Word if known is str else known


_Server: Any = _part("Server", SETTABLE[Scope.SERVER])
_Channel: Any = _part("Channel", SETTABLE[Scope.CHANNEL])


class _Envelope(_Part):
    easel: Literal["settings"]
    server: _Part
    channels: Mapping[str, _Part] = {}


_Channels: Any = Annotated[dict[str, _Channel], entries(MAX_CHANNELS)]
_FIELDS: dict[str, Any] = {"server": (_Server, ...), "channels": (_Channels, {})}
_File = create_model("File", __base__=_Envelope, **_FIELDS)


def exported(whole: Whole) -> bytes:
    """Return settings as a file that ``imported`` reads, if all of them may still be."""
    file = {
        "easel": "settings",
        "server": _written(whole.server),
        "channels": {str(channel_id): _written(values) for channel_id, values in whole.channels.items()},
    }
    return json.dumps(file, ensure_ascii=False, indent=1).encode()


async def imported(data: bytes, present: Collection[int]) -> Whole:
    """Read a file of settings; ``present`` are the ids of the server's channels.

    Raises ``RequestError`` that names the first thing wrong; whether the values may be is not asked here.
    """
    try:
        file = _File.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise RequestError(
            N_("That is no file of settings: “{where}” does not fit."),
            N_("See how one is written: /settings export"),
            where=".".join(map(str, first["loc"]))[:200] or "file",
        ) from error
    known = {str(channel_id) for channel_id in present}
    for channel_id in file.channels:
        if channel_id not in known:
            raise RequestError(
                N_("The channel {id} is not one of this server's."),
                N_("Take it out of the file, or put in the id of one that is."),
                id=channel_id[:30],
            )
    return Whole(
        await _kept(file.server),
        {int(channel_id): await _kept(part) for channel_id, part in file.channels.items()},
    )


def differences(before: Whole, after: Whole) -> list[Difference]:
    """Return what changes if one stands in the other's place, the server's own first."""
    found = list(_differing(None, before.server, after.server))
    for channel_id in sorted({*before.channels, *after.channels}):
        found += _differing(channel_id, before.channels.get(channel_id, {}), after.channels.get(channel_id, {}))
    return found


def _differing(channel_id: int | None, before: Values, after: Values) -> Iterator[Difference]:
    for name in SETTABLE[Scope.SERVER]:
        if before.get(name) != after.get(name):
            yield Difference(channel_id, name, before.get(name), after.get(name))


def _written(values: Values) -> dict[str, object]:
    """Return values as they stand in a file."""
    shown: dict[str, object] = {name: values[name] for name in SETTABLE[Scope.SERVER] if name in values}
    shown |= {name: str(values[name]).splitlines() for name in _LINES if name in values}
    return shown | ({WORDS: filed(read(str(values[WORDS]))).model_dump()} if WORDS in values else {})


async def _kept(part: _Part) -> Values:
    """Return what stood in a file as it is kept; raises ``RequestError`` for word rules that cannot be."""
    values = {name: getattr(part, name) for name in type(part).model_fields}
    values |= {name: "\n".join(values[name]) for name in _LINES if values.get(name)}
    if values.get(WORDS) is not None:
        values[WORDS] = await written(ruled(values[WORDS]))
    return {name: value for name, value in values.items() if value is not None and value != []}
