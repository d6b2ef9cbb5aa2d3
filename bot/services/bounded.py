"""Shapes of files that people send, so bounded that even the most crooked is refused at once.

pydantic tells all that is wrong with a file; building a hundred thousand of its errors stops the loop for seconds.
"""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Bounded(BaseModel):
    """A shape with no more names in it than it knows."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _bound(cls, given: object) -> object:
        return _bounded(given, len(cls.model_fields))


def entries(most: int) -> BeforeValidator:
    """Return what refuses a mapping of more than ``most``."""
    return BeforeValidator(lambda given: _bounded(given, most))


def items(most: int) -> Any:
    """Return what refuses a list of more than ``most``, and any by the first thing wrong in it."""
    return Field(max_length=most, fail_fast=True)


def _bounded(given: object, most: int) -> object:
    if isinstance(given, dict) and len(given) > most:
        message = f"more than {most}"
        raise ValueError(message)
    return given
