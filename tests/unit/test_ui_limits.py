"""Whatever people type, whatever servers are called: Discord takes what is drawn of it."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import cast, get_type_hints

import discord
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

import bot.ui
from bot.domain.capability import Listing
from bot.domain.searching import matches
from bot.ui.card import Card
from bot.ui.commands import completion
from bot.ui.options import OPTIONS, Option
from tests.unit.ui_builders import BUILDERS, LONGEST
from tests.unit.ui_payloads import payload, problems

NOBODY = cast("discord.Interaction", None)
DRAWN = (Card, discord.Embed, discord.ui.View, discord.ui.LayoutView, discord.ui.Modal)
NASTY = st.text(
    alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("*_~`|<>@#-[]()\\:1.\n\u202e&!{}")),
    max_size=4000,
)


def builders() -> Iterator[str]:
    """Yield the name of every public function of ``bot.ui`` that draws something."""
    for found in pkgutil.iter_modules(bot.ui.__path__):
        module = importlib.import_module(f"bot.ui.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            made = get_type_hints(function).get("return")
            ours = function.__module__ == module.__name__ and not name.startswith("_")
            if ours and isinstance(made, type) and issubclass(made, DRAWN):
                yield f"{found.name}.{name}"


def test_all_that_draws_is_held_to_discords_limits() -> None:
    assert {name.partition(" ")[0] for name in BUILDERS} == set(builders())


@pytest.mark.parametrize("name", BUILDERS)
def test_the_longest_and_strangest_texts_stay_inside_discords_limits(name: str) -> None:
    found = {text[:20]: problems(BUILDERS[name](text)) for text in LONGEST}
    assert {text: each for text, each in found.items() if each} == {}


@settings(max_examples=15, deadline=None)
@example("0")
@given(NASTY)
def test_any_text_at_all_stays_inside_discords_limits(text: str) -> None:
    found = {name: problems(build(text)) for name, build in BUILDERS.items()}
    assert {name: each for name, each in found.items() if each} == {}


LISTED = [option for option in OPTIONS.values() if option.listing]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(LISTED), st.lists(st.text(min_size=1, max_size=150), min_size=30, max_size=60), NASTY)
def test_suggestions_are_few_and_short_whatever_the_names_of_models_are(
    option: Option, names: list[str], typed: str
) -> None:
    async def suggest(_: discord.Interaction, __: Listing, current: str) -> list[str]:
        return matches(current, names)

    offered = asyncio.run(completion(option, suggest)(NOBODY, typed))
    assert len(offered) <= 25
    assert all(1 <= len(choice.name) <= 100 and 1 <= len(choice.value) <= 100 for choice in offered)


@pytest.mark.parametrize("name", BUILDERS)
def test_what_is_drawn_is_as_it_was(name: str, snapshot: SnapshotAssertion) -> None:
    assert payload(BUILDERS[name]("a *quiet* harbour")) == snapshot
