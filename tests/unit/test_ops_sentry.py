"""What leaves for Sentry when Easel breaks: kinds, places and the code, and nothing that anybody wrote."""

import asyncio
import gzip
import io
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web

pytest.importorskip("sentry_sdk", reason="the extra “sentry” is not installed")

import sentry_sdk

from bot import __version__
from bot.ops.logging import configure, log_failure
from bot.ops.sentry import reporter
from tests.logs import logs_given_back

PROMPT = "zinnoberfuchs"
TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4" + ".Cl2FMQ." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs-abc"


@asynccontextmanager
async def sentry() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A Sentry of one's own: its DSN, and what came."""
    came: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        came.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/api/42/envelope/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://publickey@127.0.0.1:{runner.addresses[0][1]}/42", came
    finally:
        await asyncio.to_thread(sentry_sdk.get_client().close, 2.0)
        sentry_sdk.get_global_scope().set_client(None)
        await runner.cleanup()


async def reports(came: list[bytes]) -> list[dict[str, Any]]:
    """Wait for what is under way and return all reports."""
    await asyncio.to_thread(sentry_sdk.flush, 5.0)
    lines = [json.loads(line) for body in came for line in body.splitlines() if line]
    return [line for line in lines if "exception" in line]


def fail(prompt: str) -> None:
    """Break with a prompt in every place where an error can hold one."""
    wish = {"prompt": prompt}
    try:
        wish[prompt]
    except KeyError as error:
        error.add_note(f"while painting {prompt}")
        raise RuntimeError(f"cannot paint {wish} for Bot {TOKEN}") from error


async def test_a_failure_leaves_with_its_code_and_place_and_no_word_of_anybody() -> None:
    with logs_given_back():
        lines = io.StringIO()
        async with sentry() as (dsn, came):
            configure("DEBUG", "json", stream=lines, report=reporter(dsn, [PROMPT]))
            log = structlog.get_logger("bot.test")
            log.info("about to paint", wish=PROMPT)
            try:
                fail(PROMPT + "rot")
            except RuntimeError as error:
                code = log_failure("painting broke", error)
            [report] = await reports(came)
            whole = b"".join(came).decode()
    assert report["tags"] == {"code": code}
    assert (report["release"], report["level"]) == (f"easel@{__version__}", "error")
    assert [each["type"] for each in report["exception"]["values"]] == ["KeyError", "RuntimeError"]
    frame = report["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["filename"]) == ("fail", "test_ops_sentry.py")
    assert PROMPT not in whole
    assert TOKEN not in whole
    for private in ("abs_path", "vars", "context_line", "breadcrumbs", "server_name", "user", "argv"):
        assert f'"{private}"' not in whole
    assert PROMPT in lines.getvalue(), "the log keeps what it is told"


async def test_only_what_has_a_code_leaves() -> None:
    with logs_given_back():
        async with sentry() as (dsn, came):
            configure("DEBUG", "json", stream=io.StringIO(), report=reporter(dsn))
            try:
                fail(PROMPT)
            except RuntimeError:
                structlog.get_logger("bot.test").exception("tried again")
                structlog.get_logger("bot.test").error("of no account", code="K7F2")
                logging.getLogger("discord").exception("theirs")
                logging.getLogger("bot.jobs").exception("job broke", extra={"code": "A1B2C3"})
            [report] = await reports(came)
    assert report["tags"] == {"code": "A1B2C3"}
