"""Reading the host's settings out of the environment and ``.env``, with a line for each thing that is wrong."""

import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from rapidfuzz import fuzz, process

from bot.domain.errors import LimitError
from bot.settings import Settings
from bot.storage.opening import is_shared

WITHOUT_DISCORD = (
    "DISCORD_TOKEN is not set: make a bot in the Discord developer portal "
    "(https://discord.com/developers/applications, page Bot, Reset Token) and put its token into .env; "
    "to try Easel without a token, run: make rehearse"
)
_AUTH = re.compile(r"EASEL_BACKEND_([1-9][0-9]?)_AUTH")
_LIKE_ENOUGH = 70.0


class SettingsError(Exception):
    """What is wrong with the settings: ``problems`` has one line each, none with a secret in it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(environ: Mapping[str, str], env_file: Path | None, *, needs_token: bool = True) -> Settings:
    """Read the settings from ``environ``, over those of ``env_file``; an empty value counts as not set.

    Raises ``SettingsError`` with every problem that can be seen at once.
    """
    given = {**_file(env_file), **environ}
    variables = {name: value.strip() for name, value in given.items() if value and value.strip()}
    auth = {int(found[1]): value for name, value in variables.items() if (found := _AUTH.fullmatch(name))}
    settings = None
    problems = _unknown_names(variables)
    try:
        settings = Settings.model_validate({**variables, "EASEL_BACKEND_<n>_AUTH": auth})
        problems += _contradictions(settings)
    except ValidationError as error:
        problems += [_line(str(e["loc"][0]), e["msg"]) for e in error.errors(include_input=False)]
    if needs_token and "DISCORD_TOKEN" not in variables:
        problems.append(WITHOUT_DISCORD)
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def names() -> list[str]:
    """Return every setting's name, as a host writes it."""
    return [field.alias or name for name, field in Settings.model_fields.items()]


def _file(env_file: Path | None) -> dict[str, str | None]:
    try:
        return dotenv_values(env_file, interpolate=False) if env_file else {}
    except (OSError, UnicodeDecodeError):
        raise SettingsError([f"{env_file} cannot be read: it must be a text file in UTF-8."]) from None


def _unknown_names(variables: Mapping[str, str]) -> list[str]:
    known = names()
    problems = []
    for name in sorted(variables):
        if not name.startswith("EASEL_") or name in known or _AUTH.fullmatch(name):
            continue
        near = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=_LIKE_ENOUGH)
        problems.append(f"{name} is no setting of Easel" + (f"; did you mean {near[0]}?" if near else "."))
    return problems


def _line(name: str, message: str) -> str:
    words = message.removeprefix("Value error, ").replace("Input should be", "must be").partition(", unable to")[0]
    return f"{name}: {words}."


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    try:
        if not settings.backend_addresses and not is_shared(settings.database_url.get_secret_value()):
            problems.append(
                "EASEL_BACKENDS is none, and with SQLite no worker can join: nobody would paint. Name a backend, "
                "or use PostgreSQL (DATABASE_URL=postgresql://…)."
            )
    except ValueError as error:
        problems.append(str(error))
    if settings.blobs is not None and "" in (settings.blobs_keys or ()):
        problems.append("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both, or neither.")
    try:
        settings.limits.check(settings.defaults.request("a picture", seed=0))
    except LimitError as error:
        name = str(error.values.get("option", "width and height")).upper()
        problems.append(f"EASEL_DEFAULT_{name}: above what EASEL_MAX_* allow. {error}")
    return problems
