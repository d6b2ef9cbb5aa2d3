"""What ``easel check`` says of being watched, and what a start refuses."""

import socket

import pytest
import typer

from bot.cli import checking, hosting
from bot.ops import exporting
from bot.settings_loading import SettingsError, load
from tests.logs import logs_given_back

TOKEN = {"DISCORD_TOKEN": "a-token-of-my-own"}
DSN = "https://0123456789abcdef@o1.ingest.sentry.io/42"


@pytest.mark.parametrize(
    "given", ["9464", ":9464", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", "a:b"]
)
def test_an_address_that_is_none_is_refused_with_one_that_is(given: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**TOKEN, "EASEL_METRICS": given}, None)
    [line] = refused.value.problems
    assert line.startswith("EASEL_METRICS: it must be an address and a port")
    assert "127.0.0.1:9464" in line


def test_addresses_of_both_kinds_are_read() -> None:
    assert load(TOKEN, None).metrics is None
    assert load({**TOKEN, "EASEL_METRICS": "0.0.0.0:9464"}, None).metrics == ("0.0.0.0", 9464)  # noqa: S104
    assert load({**TOKEN, "EASEL_METRICS": "[::1]:9464"}, None).metrics == ("::1", 9464)


@pytest.mark.parametrize(
    "given",
    ["sentry.io", "https://o1.ingest.sentry.io/42", f"{DSN}x", "ftp://hidden@sentry.io/1", "https://[hidden@x/1"],
)
def test_a_dsn_that_is_none_is_refused_without_being_shown(given: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**TOKEN, "EASEL_SENTRY_DSN": given}, None)
    [line] = refused.value.problems
    assert line.startswith("EASEL_SENTRY_DSN: it must be a project's DSN")
    assert "hidden" not in line


def test_a_dsn_is_a_secret_of_the_log() -> None:
    settings = load({**TOKEN, "EASEL_SENTRY_DSN": DSN}, None)
    assert DSN in settings.secrets
    assert DSN not in repr(settings)


async def test_check_tells_whether_the_address_is_free_and_the_extra_is_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "has_extra", lambda _: True)
    monkeypatch.setattr("bot.ops.server.ANSWER_S", 0.2)
    assert await checking._check_metrics(load(TOKEN, None)) == 0
    assert not capsys.readouterr().out
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = load({**TOKEN, "EASEL_METRICS": f"127.0.0.1:{port}"}, None)
        assert await checking._check_metrics(settings) == 78
    told = capsys.readouterr().out
    assert told.startswith(f"wrong EASEL_METRICS: nothing can listen at 127.0.0.1:{port}")
    assert "Choose another port" in told
    assert await checking._check_metrics(settings) == 0
    assert capsys.readouterr().out == f"ok    metrics and health at 127.0.0.1:{port}\n"
    monkeypatch.setattr(exporting, "has_extra", lambda _: False)
    assert await checking._check_metrics(settings) == 78
    assert "pip install '.[metrics]'" in capsys.readouterr().out


def test_check_tells_where_failures_go_without_the_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checking._check_sentry(load(TOKEN, None)) == 0
    settings = load({**TOKEN, "EASEL_SENTRY_DSN": DSN}, None)
    monkeypatch.setattr(exporting, "has_extra", lambda _: True)
    assert checking._check_sentry(settings) == 0
    assert capsys.readouterr().out == "ok    Sentry at o1.ingest.sentry.io/42\n"
    monkeypatch.setattr(exporting, "has_extra", lambda _: False)
    assert checking._check_sentry(settings) == 78
    assert "pip install '.[sentry]'" in capsys.readouterr().out


def test_a_start_without_the_extra_that_sentry_needs_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "has_extra", lambda _: False)
    with logs_given_back(), pytest.raises(typer.Exit) as ended:
        hosting._log(load({**TOKEN, "EASEL_SENTRY_DSN": DSN}, None))
    assert ended.value.exit_code == 78
    assert "pip install '.[sentry]'" in capsys.readouterr().err
