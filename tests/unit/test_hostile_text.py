"""Text meant to do harm, through what is logged, filed and sent back: no line, path or id that is not ours."""

import contextlib
import io
import logging
import re
from pathlib import Path
from typing import Literal

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.codes import code, job_id
from bot.domain.errors import GoneError, RequestError
from bot.ops.logging import configure
from bot.storage.blobs import FolderBlobs
from bot.ui import explore, models
from bot.ui.buttons import Action, decode, encode
from bot.ui.card import Card
from tests.logs import logs_given_back
from tests.unit.ui_builders import BUILDERS

SIGNS = "\x00\x07\x08\t\n\r\x1b[2J\x7f\x85\u2028\u2029\u202e\u2066/\\.:;%@#&<>*_~`|(){}$'\" easel-09aZ"
HOSTILE = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from(SIGNS)), max_size=300)
MOVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
SENT = re.compile(r"(SPOILER_)?[a-z0-9][a-z0-9-]*\.[a-z0-9]{2,4}")
PINGS = "@everyone @here <@1> <@!2> <@&3> <#4> "


@pytest.mark.parametrize("style", ["console", "json"])
@settings(max_examples=60, deadline=None)
@example("\n2026-01-01 [info     ] all is well")
@example("\x1b]0;a title\x07\x1b[2J")
@given(HOSTILE)
def test_whatever_is_logged_is_one_line_that_moves_no_cursor(style: Literal["console", "json"], text: str) -> None:
    stream = io.StringIO()
    with logs_given_back():
        configure("INFO", style, stream=stream)
        structlog.get_logger("bot.test").info("painted", backend=text, several=[text, {"deep": text}])
        logging.getLogger("discord").info("a library says %s", text)
    written = stream.getvalue()
    assert written.count("\n") == 2
    assert len(written.splitlines()) == 2
    assert MOVES.search(written) is None


def test_a_traceback_keeps_its_lines_and_moves_no_cursor_either() -> None:
    stream = io.StringIO()
    with logs_given_back():
        configure("INFO", "console", stream=stream)
        try:
            raise ValueError("a\x1b[2Jb")  # noqa: TRY301 - it has to come with a traceback
        except ValueError:
            structlog.get_logger("bot.test").exception("broke")
    assert "ValueError: a\\x1b[2Jb\n" in stream.getvalue()
    assert stream.getvalue().count("\n") > 3


@settings(max_examples=20, deadline=None)
@example("../../etc/passwd\x00.png")
@given(HOSTILE)
def test_no_file_that_is_sent_has_anybodys_words_in_its_name(text: str) -> None:
    for name, build in BUILDERS.items():
        drawn = build(text)
        if isinstance(drawn, Card):
            assert [file.sent_name for file in drawn.files if SENT.fullmatch(file.sent_name) is None] == [], name


@settings(max_examples=20, deadline=None)
@given(HOSTILE)
def test_nobodys_words_ping_anybody(text: str) -> None:
    for name, build in BUILDERS.items():
        drawn = build(PINGS + text)
        if not isinstance(drawn, Card):
            continue
        allowed = drawn.allowed_mentions.to_dict()
        assert not allowed.get("parse"), name
        assert not {1, 2, 3} & {*map(int, allowed.get("users", ())), *map(int, allowed.get("roles", ()))}, name


@settings(max_examples=200, deadline=None)
@example("easel:delete:1:../..")
@example("easel:delete:9999999999999999999")
@given(st.one_of(HOSTILE, st.from_regex(r"easel:[a-z]{0,9}:[0-9]{0,25}(:.{0,60})?", fullmatch=True)))
def test_a_made_up_id_is_of_nothing_or_just_what_it_says(made: str) -> None:
    press = decode(made)
    if press is not None:
        assert encode(press.action, press.job, press.arg) == f"easel:{press.action}:{press.job}" + (
            "" if press.arg is None else f":{press.arg}"
        )
        assert 0 <= press.job < 2**63
        assert press.number >= 0
    models.asked(made)
    with contextlib.suppress(GoneError):
        explore.pressed(made)


@given(st.sampled_from(Action), st.integers(0, 2**63 - 1), st.one_of(st.none(), HOSTILE))
def test_every_id_we_make_fits_discord_and_comes_back_as_it_was(action: Action, job: int, arg: str | None) -> None:
    try:
        made = encode(action, job, arg)
    except ValueError:
        return
    assert len(made) <= 100
    press = decode(made)
    assert press is not None
    assert (press.action, press.job, press.arg) == (action, job, arg)


@given(HOSTILE)
def test_a_typed_code_is_a_code_or_refused_in_words(text: str) -> None:
    try:
        found = job_id(text)
    except RequestError:
        return
    assert code(found) == text.strip().removeprefix("#").replace("-", "").upper().translate(
        str.maketrans("ILO", "110")
    )


@pytest.mark.parametrize(
    "blob", ["../secret", "../../secret", "/etc/passwd", "..", "", "ab/../../../secret", "a\x00b"]
)
async def test_a_blob_of_a_made_up_name_is_none(tmp_path: Path, blob: str) -> None:
    (tmp_path / "secret").write_bytes(b"nobody's")
    with pytest.raises(GoneError):
        await FolderBlobs(tmp_path / "data" / "blobs", lambda: 0.0).get(blob)
