"""What reaches the log: the facts, and never a secret or a prompt."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.ops.logging import configure, failure_code, log_failure, scrub
from bot.ops.loop import WARN_S, LoopProbe
from tests.logs import logs_given_back

# Made up, in the shape of a real one.
BOT_TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4" + ".Cl2FMQ." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs-abc"
INTERACTION_TOKEN = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OTpBYkNkRWY"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The process's logging as it was."""
    with logs_given_back():
        yield


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


def raised(error: Exception) -> Exception:
    """Give ``error`` a traceback with a local variable in it."""
    local = "only a" + " local"
    try:
        raise error
    except type(error) as caught:
        assert local
        return caught


@pytest.mark.parametrize("style", ["console", "json"])
@pytest.mark.parametrize(
    "text",
    [
        f"logging in with {BOT_TOKEN}",
        f"GET https://discord.com/api/v10/webhooks/123/{INTERACTION_TOKEN}/messages/@original failed",
        "POST /webhooks/123456789012345678/hidden-hidden_hidden?wait=true",
        "POST https://discord.com/api/v10/interactions/1234/hidden/callback",
        "cannot connect to http://me:hidden@gpu:7860/sdapi",
        "postgresql+psycopg://me:hidden@db/easel",
        "headers {'Authorization': 'Bot hidden', 'Accept': '*/*'}",
        'headers {"authorization": "Basic aGlkZGVuOmhpZGRlbg=="}',
        "sent Basic aGlkZGVuOmhpZGRlbg== to it",
        """payload {"prompt": "a hidden \\"place\\"", "steps": 3}""",
        "payload {'negative_prompt': 'hidden', 'steps': 3}",
        "it said my-own-password to me",
    ],
)
def test_no_secret_gets_through_in_either_form(style: str, text: str, lines: io.StringIO) -> None:
    configure("DEBUG", "json" if style == "json" else "console", known=["my-own-password"], stream=lines)
    structlog.get_logger("bot.test").info(text)
    logging.getLogger("discord.http").warning("said: %s", text)
    structlog.get_logger("bot.test").error("failed", exc_info=raised(ValueError(text)))
    shown = lines.getvalue()
    assert shown.count("[removed]") >= 3
    for secret in ("hidden", "aGlkZGVu", BOT_TOKEN, INTERACTION_TOKEN, "my-own-password"):
        assert secret not in shown.replace("https://discord", "")


def test_private_keys_are_emptied_wherever_they_stand(lines: io.StringIO) -> None:
    configure("INFO", "json", stream=lines)
    structlog.get_logger("bot.test").info(
        "made",
        prompt="hidden",
        job=7,
        request={"negative_prompt": "hidden", "steps": 3, "parts": [{"token": "hidden"}]},
    )
    entry = json.loads(lines.getvalue())
    assert "hidden" not in lines.getvalue()
    assert (entry["job"], entry["request"]["steps"], entry["level"], entry["logger"]) == (7, 3, "info", "bot.test")


def test_libraries_stay_silent_about_bodies_at_debug(lines: io.StringIO) -> None:
    configure("DEBUG", "json", stream=lines)
    logging.getLogger("discord.http").debug("POST with %s", "hidden")
    logging.getLogger("aiosqlite").debug("row %s", "hidden")
    logging.getLogger("sqlalchemy.engine").info("parameters %s", "hidden")
    structlog.get_logger("bot.test").debug("seen")
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["seen"]


def test_the_level_is_kept(lines: io.StringIO) -> None:
    configure("WARNING", "console", stream=lines)
    structlog.get_logger("cogs.test").info("quiet")
    logging.getLogger("discord").info("quiet")
    structlog.get_logger("cogs.test").warning("loud")
    assert "quiet" not in lines.getvalue()
    assert "loud" in lines.getvalue()


def test_a_traceback_shows_no_local_variables(lines: io.StringIO) -> None:
    configure("INFO", "console", stream=lines)
    code = log_failure("bad day", raised(RuntimeError("broken")))
    assert "only a local" not in lines.getvalue()
    assert "RuntimeError: broken" in lines.getvalue()
    assert code in lines.getvalue()


def test_harmless_text_stays_as_it_is() -> None:
    text = "job 12 of guild 198622483471925248 painted by webui-1 at http://gpu:7860 in 8.3 s, model dream_8.v2"
    assert scrub(text, ["", "abc"]) == text


def test_a_failure_code_is_short_and_cannot_be_misread() -> None:
    picks = iter("K7F2")
    assert failure_code(lambda _: next(picks)) == "K7F2"
    assert not set(failure_code()) & set("ILOU")


async def test_the_probe_keeps_the_longest_lag_and_warns_of_a_long_one(lines: io.StringIO) -> None:
    configure("INFO", "console", stream=lines)
    times = iter(range(100))
    probe = LoopProbe(clock=lambda: next(times) * 0.5, every_s=0.0)
    watching = asyncio.ensure_future(probe.run())
    await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert probe.max_s == pytest.approx(0.5)
    assert "the event loop stood still" in lines.getvalue()
    lines.truncate(0)
    probe.note(WARN_S)
    assert not lines.getvalue().strip("\0")
