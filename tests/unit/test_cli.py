"""The command line as a host meets it: words, exit codes, and a clean stop."""

import asyncio
import importlib.util
import os
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord.gateway import DiscordWebSocket
from typer.testing import CliRunner, Result

from bot import __version__, cli, client, refusals
from bot.backends import address
from bot.backends.classifier.client import Model
from bot.cli import checking, painters
from bot.domain.capability import Capabilities, Listing
from bot.domain.errors import (
    AuthError,
    BackendError,
    BotError,
    NotEnabledError,
    ProtocolError,
    RequestError,
    UntrustedError,
)
from bot.domain.request import PaintRequest, Workflow
from bot.domain.shards import Shards
from bot.rehearsal import Discord
from bot.settings import Settings
from bot.settings_loading import load
from tests.logs import logs_given_back

TOKEN = "a-token-of-my-own"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, no settings, and the process's logging and discord.py as they were."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("EASEL_") or name in {"DISCORD_TOKEN", "DATABASE_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(discord.Asset, "BASE", discord.Asset.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    with logs_given_back():
        yield tmp_path


def easel(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env=environ, prog_name="easel")


def serving(monkeypatch: pytest.MonkeyPatch, serve: Callable[[Settings, asyncio.Event], Awaitable[None]]) -> None:
    """Let the bot's life be ``serve``."""

    async def life(settings: Settings, stop: asyncio.Event, *, shards: Shards | None) -> None:
        assert shards is None
        await serve(settings, stop)

    monkeypatch.setattr(client, "serve", life)


def test_the_version_is_shown() -> None:
    assert easel("--version").output == f"easel {__version__}\n"


def test_without_a_token_it_says_where_one_comes_from() -> None:
    result = easel("run")
    assert result.exit_code == 78
    assert "make rehearse" in result.stderr
    assert "developer portal" in result.stderr
    assert "Traceback" not in result.output


def test_every_wrong_setting_is_one_line_on_stderr() -> None:
    result = easel("run", DISCORD_TOKEN=TOKEN, EASEL_MAX_STEP="3", EASEL_MAX_SIDE="wide")
    assert result.exit_code == 78
    assert result.stderr.splitlines() == [
        "EASEL_MAX_STEP is no setting of Easel; did you mean EASEL_MAX_STEPS?",
        "EASEL_MAX_SIDE: must be a valid integer.",
    ]


def test_a_data_folder_that_cannot_be_made_is_a_sentence(place: Path) -> None:
    (place / "file").touch()
    result = easel("run", DISCORD_TOKEN=TOKEN, EASEL_DATA_DIR="file/data")
    assert result.exit_code == 78
    assert result.stderr.startswith("EASEL_DATA_DIR: file/data cannot be written")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (refusals.TokenRefusedError("Discord does not know it."), 78, "Discord does not know it.\n"),
        (refusals.DiscordAwayError("Discord cannot be reached."), 69, "Discord cannot be reached.\n"),
        (BotError("{name} works here.", "Stop it.", name="Another"), 69, "Another works here. Stop it.\n"),
        (ExceptionGroup("tasks", [refusals.DiscordAwayError("It went away.")]), 69, "It went away.\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_stops_the_bot_becomes_words_and_an_exit_code(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(_: Settings, __: asyncio.Event) -> None:
        raise error

    serving(monkeypatch, serve)
    result = easel("run", DISCORD_TOKEN=TOKEN)
    assert (result.exit_code, result.stderr) == (code, words)


def test_a_disk_that_is_full_is_no_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(_: Settings, __: asyncio.Event) -> None:
        full = sqlite3.OperationalError("database or disk is full")
        raise RuntimeError("SQLAlchemy's words, with the statement") from full

    serving(monkeypatch, serve)
    result = easel("run", DISCORD_TOKEN=TOKEN)
    assert result.exit_code == 69
    assert result.stderr == "The queue cannot be kept: database or disk is full. Mend that, then start again.\n"


def test_a_bug_is_logged_with_a_code_and_without_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(settings: Settings, _: asyncio.Event) -> None:
        raise RuntimeError(settings.discord_token.get_secret_value())

    serving(monkeypatch, serve)
    result = easel("run", DISCORD_TOKEN=TOKEN)
    assert result.exit_code == 1
    assert TOKEN not in result.stderr
    assert "RuntimeError: [removed]" in result.stderr
    *_, words = result.stderr.splitlines()
    code = words.partition("its own, ")[2][:4]
    assert result.stderr.count(code) == 2


@pytest.mark.parametrize(
    ("shards", "words"),
    [
        ("some", "--shards: some is not like 0-1/4: the first and the last shard, and how many there are."),
        ("3-1/4", "--shards: 3-1/4 ends before it begins; perhaps 1-3/4."),
        ("0-4/4", "--shards: 0-4/4 has no shard 4: 4 shards are 0 to 3."),
        ("0-1/4", "--shards: 0-1/4 leaves shards to other processes, which cannot share an SQLite file."),
        ("2/4", "--shards: 2-2/4 leaves shards to other processes, which cannot share an SQLite file."),
    ],
)
def test_shards_that_cannot_be_are_told_with_the_cure(shards: str, words: str) -> None:
    result = easel("run", "--shards", shards, DISCORD_TOKEN=TOKEN)
    assert result.exit_code == 78
    problem, *cure = result.stderr.splitlines()
    assert problem == words
    assert "SQLite" not in words or "Use PostgreSQL" in cure[0]


def test_all_shards_can_be_one_processs_on_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    async def life(_: Settings, __: asyncio.Event, *, shards: Shards | None) -> None:
        given.append(shards)

    monkeypatch.setattr(client, "serve", life)
    for arguments in (("--shards", "0-3/4"), ()):
        assert easel("run", *arguments, DISCORD_TOKEN=TOKEN).exit_code == 0
    assert given == [Shards.all(4), None]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []

    async def serve(_: Settings, stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await stop.wait()
        stopped.append(number)

    serving(monkeypatch, serve)
    assert easel("run", DISCORD_TOKEN=TOKEN).exit_code == 0
    assert stopped == [number]


def test_a_second_interrupt_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(_: Settings, stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

    serving(monkeypatch, serve)
    assert easel("run", DISCORD_TOKEN=TOKEN).exit_code == 130


def test_a_rehearsal_paints_two_pictures_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "SKETCH_STEP_S", 0.0)
    result = easel("rehearse", "--no-stay")
    assert result.exit_code == 0, result.output
    assert "Ada types /draw" in result.stdout
    assert len(list(Path("out/rehearsal").glob("*.png"))) == 2


def test_a_rehearsal_paints_with_the_backends_that_are_named() -> None:
    result = easel("rehearse", "--no-stay", "--backends", "sketch=0 name=one, sketch=0 name=two")
    assert result.exit_code == 0, result.output
    wrong = easel("rehearse", "--no-stay", "--backends", "skech")
    assert (wrong.exit_code, wrong.stdout) == (78, "")
    assert "must begin with a kind of backend" in wrong.stderr


def test_a_rehearsal_needs_a_folder_it_can_write(place: Path) -> None:
    (place / "file").touch()
    result = easel("rehearse", "--no-stay", "--out", "file/out")
    assert result.exit_code == 78
    assert result.stderr.startswith("--out: file/out cannot be written")


async def test_a_rehearsal_that_stays_gives_its_page_and_stops_on_sigterm(place: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "rehearse", "--stay"),
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2]), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        if b"http://127.0.0.1:" in line:
            break
    process.terminate()
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


def test_check_tells_what_is_right_and_what_is_wrong() -> None:
    result = easel("check", EASEL_BACKENDS="sketch, webui=http://127.0.0.1:9")
    assert result.exit_code == 78
    lines = result.stdout.splitlines()
    assert lines[:2] == ["ok    settings", "ok    data folder data"]
    assert lines[2] == "ok    database data/easel.sqlite3, which the first start makes"
    assert lines[3].startswith("wrong DISCORD_TOKEN")
    assert lines[4].endswith("easel check --no-discord")
    assert lines[5:8] == [
        "ok    backend sketch · built in, paints without a model",
        "      lists: models 1, samplers 6, schedulers 4",
        "      has img2img",
    ]
    assert lines[8].startswith("away  backend webui-2 http://127.0.0.1:9: webui-2 cannot be reached.")
    assert "address and port" in lines[8]


def test_check_leaves_discord_out_for_who_only_paints_in_the_terminal() -> None:
    without = easel("check", EASEL_BACKENDS="sketch")
    assert (without.exit_code, "easel check --no-discord" in without.stdout) == (78, True)
    result = easel("check", "--no-discord", EASEL_BACKENDS="sketch")
    assert (result.exit_code, "DISCORD_TOKEN" in result.output) == (0, False)


def test_check_names_a_folder_of_workflows_that_is_not_there() -> None:
    result = easel("check", EASEL_BACKENDS="sketch", EASEL_WORKFLOWS_DIR="gone")
    assert "wrong EASEL_WORKFLOWS_DIR: gone is no folder." in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotEnabledError("x"), "--api"),
        (AuthError("x", number=2), "EASEL_BACKEND_2_AUTH"),
        (UntrustedError("x"), "ca="),
        (ProtocolError("x"), "log"),
    ],
)
def test_each_fault_of_a_backend_has_its_cure(error: BackendError, words: str) -> None:
    assert words in painters.ailment(error)


async def test_a_workflow_that_cannot_be_used_is_refused_with_the_reason() -> None:
    problem = "poster.json is no JSON; save the workflow with Export (API) again."

    async def capabilities() -> Capabilities:
        return Capabilities({Listing.WORKFLOWS: ()}, facts={"workflow poster.json": problem})

    comfy: Any = SimpleNamespace(name="comfy", capabilities=capabilities)
    known = painters.Painters(SimpleNamespace(backends=(comfy,)))  # type: ignore[arg-type]
    await known.catalogue.refresh(comfy)
    for name, words in (("poster", f"cannot be used: {problem}"), ("other", "No backend here has any workflow")):
        with pytest.raises(RequestError) as caught:
            known.check(PaintRequest("a cat", 7, workflow=Workflow(name)))
        assert words in str(caught.value)


async def test_check_tells_whether_the_classifier_loads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = {"DISCORD_TOKEN": "any"}
    assert await checking._check_classifier(load(token, None)) == 0
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    settings = load({**token, "EASEL_CLASSIFIER": "some/model"}, None)
    assert await checking._check_classifier(settings) == 69
    told = capsys.readouterr().out
    assert "away  classifier some/model: What the classifier needs is not installed." in told
    assert "pip install '.[classifier]'" in told


async def test_check_compares_the_labels_that_count_with_those_of_the_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def check(_: Model) -> tuple[str, ...]:
        return "drawings", "Porn", "neutral"

    monkeypatch.setattr(Model, "check", check)
    token = {"DISCORD_TOKEN": "any", "EASEL_CLASSIFIER": "some/model"}
    assert await checking._check_classifier(load(token, None)) == 0
    assert "ok    classifier some/model · looks for Porn" in capsys.readouterr().out
    assert await checking._check_classifier(load({**token, "EASEL_CLASSIFIER_LABELS": "nsfw, lewd"}, None)) == 78
    told = capsys.readouterr().out
    assert "wrong EASEL_CLASSIFIER_LABELS: some/model has none of nsfw, lewd." in told
    assert "Set it to those of its labels that are of adult pictures: drawings, Porn, neutral" in told


async def test_check_asks_discord_about_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    async with Discord() as standin:
        api = {"EASEL_DISCORD_API": standin.api_url}
        assert await checking._check_token(load({"DISCORD_TOKEN": standin.token, **api}, None)) == 0
        assert f"permissions={cli.PERMISSIONS}" in capsys.readouterr().out
        assert await checking._check_token(load({"DISCORD_TOKEN": "another", **api}, None)) == 78
        assert "does not know it" in capsys.readouterr().out
    assert await checking._check_token(load({"DISCORD_TOKEN": "any", **api}, None)) == 69


def test_the_permissions_are_those_that_the_bot_uses() -> None:
    used = discord.Permissions(
        view_channel=True,
        send_messages=True,
        send_messages_in_threads=True,
        embed_links=True,
        attach_files=True,
        read_message_history=True,
        add_reactions=True,
    )
    assert used.value == cli.PERMISSIONS
