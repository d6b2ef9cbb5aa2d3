"""The host's settings as documents show them: ``.env.example`` and README's table."""

import textwrap
from itertools import groupby

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.settings import Settings


def example() -> str:
    """Return the text of ``.env.example``: every setting commented out, with its sentence and its default."""
    parts = ["# Copy this file to .env and take away the # before what you change.\n"]
    for group, fields in groupby(Settings.model_fields.values(), key=lambda field: field.title):
        parts.append(f"\n# ---- {group} ----\n")
        parts += [
            "".join(f"# {line}\n" for line in textwrap.wrap(field.description or "", 96))
            + f"#{(field.alias or '').replace('<n>', '1')}={_shown(field)}\n"
            for field in fields
        ]
    return "".join(parts)


def table() -> str:
    """Return README's table of settings."""
    rows = [
        f"| `{field.alias}` | {f'`{_shown(field)}`' if _shown(field) else '–'} | {field.description} |\n"
        for field in Settings.model_fields.values()
    ]
    return "".join(["| setting | default | |\n", "|---|---|---|\n", *rows])


def _shown(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    return (
        f"{value:g}" if isinstance(value, float) else str(value or "") if not isinstance(value, frozenset) else ""
    )
