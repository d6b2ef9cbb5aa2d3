"""Files of settings: what is read of them, what is not, and that the most crooked is refused by little work."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.errors import RequestError
from bot.services import wording
from bot.services.models import MAX_PATTERN, MAX_PATTERNS
from bot.services.settings_files import MAX_FILE_BYTES, Whole, exported, imported

CHANNEL = 77
FEW = 1000


def file(server: Any = None, **more: Any) -> bytes:
    return json.dumps({"easel": "settings", "server": server or {}} | more).encode()


async def read(data: bytes) -> Whole:
    return await imported(data, {CHANNEL})


CROOKED: dict[str, Callable[[], bytes]] = {
    "numbers for patterns": lambda: file({"models_denied": [1] * 300_000}),
    "empty patterns": lambda: file({"adult_models": [""] * 250_000}),
    "unknown settings": lambda: file({str(n): 1 for n in range(80_000)}),
    "unknown parts": lambda: file(**{str(n): 1 for n in range(80_000)}),
    "channels that are none": lambda: file(channels={str(n): 1 for n in range(80_000)}),
    "channels with unknown settings": lambda: file(
        channels={str(n): dict.fromkeys("abcdefghijklmnopqrst", 1) for n in range(4000)}
    ),
    "words that are none": lambda: file({"words": {"deny": [1] * 300_000}}),
    "replaced words that are none": lambda: file({"words": {"replace": {str(n): 1 for n in range(80_000)}}}),
}


@pytest.mark.parametrize("made", CROOKED.values(), ids=CROOKED)
async def test_the_most_crooked_file_is_refused_by_a_few_of_its_errors(made: Callable[[], bytes]) -> None:
    data = made()
    assert len(data) < MAX_FILE_BYTES
    with pytest.raises(RequestError, match="That is no file of settings") as refused:
        await read(data)
    assert isinstance(refused.value.__cause__, ValidationError)
    assert refused.value.__cause__.error_count() < FEW


@pytest.mark.parametrize("words", [{"deny": [1] * 100_000}, {"replace": {str(n): 1 for n in range(40_000)}}])
def test_so_is_a_file_of_words(words: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="no file of rules for words") as refused:
        wording.imported(json.dumps(words).encode())
    assert isinstance(refused.value.__cause__, ValidationError)
    assert refused.value.__cause__.error_count() < FEW


@pytest.mark.parametrize("name", ["models_allowed", "models_denied", "adult_models"])
async def test_there_may_be_so_many_patterns_so_long_and_each_is_one_line(name: str) -> None:
    most = [f"{n:03}".rjust(MAX_PATTERN, "x") for n in range(MAX_PATTERNS)]
    assert str((await read(file({name: most}))).server[name]).splitlines() == most
    for wrong in ([*most, "one"], ["x" * (MAX_PATTERN + 1)], ["a\u2028b"], ["a\rb"], [" "]):
        with pytest.raises(RequestError, match=f"server.{name}"):
            await read(file({name: wrong}))


@pytest.mark.parametrize("name", ["model", "sampler", "scheduler", "language", "accent", "emoji_reroll"])
@pytest.mark.parametrize("nothing", ["", " "])
async def test_nothing_is_no_name(name: str, nothing: str) -> None:
    with pytest.raises(RequestError, match=f"server.{name}"):
        await read(file({name: nothing}))


async def test_an_empty_negative_prompt_keeps_nothing_out() -> None:
    assert (await read(file({"negative_prompt": ""}))).server == {"negative_prompt": ""}


@pytest.mark.parametrize("channel_id", ["1" * 5000, "٧٧", "077", "x", ""])
async def test_what_is_no_channels_id_is_refused_in_words(channel_id: str) -> None:
    with pytest.raises(RequestError, match="is not one of this server's"):
        await read(file(channels={channel_id: {"steps": 3}}))


async def test_what_is_kept_already_can_always_be_taken_along() -> None:
    kept = {"models_denied": "x" * 300, "emoji_reroll": "", "ping": "dm", "words": '{"deny":["fox"]}'}
    found = json.loads(exported(Whole(kept, {CHANNEL: {"steps": 3}})))
    assert found["server"]["models_denied"] == ["x" * 300]
    assert found["server"]["words"]["deny"] == ["fox"]
    whole = await read(file({"ping": "dm", "words": found["server"]["words"]}, channels=found["channels"]))
    assert whole.server["ping"] == "dm"
    assert whole.channels == {CHANNEL: {"steps": 3}}
