"""The host's settings: where they come from, what is refused, and that secrets stay inside."""

import traceback
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.settings_loading import SettingsError, load

TOKEN = {"DISCORD_TOKEN": "a-token-of-my-own"}


def problems(environ: dict[str, str], env_file: Path | None = None) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load(environ, env_file)
    return raised.value.problems


def test_a_token_is_all_that_is_needed() -> None:
    settings = load(TOKEN, None)
    assert settings.discord_token.get_secret_value() == "a-token-of-my-own"
    assert [address.url for address in settings.backend_addresses] == ["http://127.0.0.1:7860"]
    assert settings.data_dir == Path("data")
    assert settings.limits.max_steps == 60
    assert (settings.defaults.steps, settings.defaults.width, settings.defaults.model) == (25, 512, None)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nDISCORD_TOKEN=from-the-file\nEASEL_MAX_STEPS=40\nOTHER=1\n", encoding="utf-8")
    settings = load({"EASEL_MAX_STEPS": "50"}, file)
    assert settings.discord_token.get_secret_value() == "from-the-file"
    assert settings.max_steps == 50


def test_a_missing_file_is_no_problem(tmp_path: Path) -> None:
    assert load(TOKEN, tmp_path / "none").max_count == 4


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"DISCORD_TOKEN=\xff\xfe")
    assert problems({}, file) == [f"{file} cannot be read: it must be a text file in UTF-8."]


def test_an_empty_value_counts_as_not_set() -> None:
    assert load({**TOKEN, "EASEL_MAX_STEPS": " "}, None).max_steps == 60


def test_no_token_names_the_rehearsal_and_where_a_token_comes_from() -> None:
    (line,) = problems({})
    assert "make rehearse" in line
    assert "developer portal" in line
    assert not load({}, None, needs_token=False).discord_token.get_secret_value()


def test_every_problem_has_its_line_at_once() -> None:
    lines = problems(
        {
            "EASEL_MAX_STEP": "3",
            "EASEL_WHATEVER": "1",
            "EASEL_MAX_SIDE": "wide",
            "EASEL_LOG_FORMAT": "xml",
            "EASEL_DISCORD_API": "discord.com",
            "EASEL_PREMIUM_GUILDS": "1,two",
            "DATABASE_URL": "mysql://somebody:hidden@db/easel",
        }
    )
    assert sorted(lines[:-1]) == [
        "DATABASE_URL: it must be like sqlite:///path or postgresql://user:password@host/name, or left out.",
        "EASEL_DISCORD_API: it must start with https:// or http://.",
        "EASEL_LOG_FORMAT: must be 'console' or 'json'.",
        "EASEL_MAX_SIDE: must be a valid integer.",
        "EASEL_MAX_STEP is no setting of Easel; did you mean EASEL_MAX_STEPS?",
        "EASEL_PREMIUM_GUILDS: must be a valid integer.",
        "EASEL_WHATEVER is no setting of Easel.",
    ]
    assert len(lines) == 8
    assert "hidden" not in "".join(lines)


def test_an_unknown_name_in_the_file_is_found_too(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("EASEL_BACKEND=sketch\n", encoding="utf-8")
    assert problems(TOKEN, file) == ["EASEL_BACKEND is no setting of Easel; did you mean EASEL_BACKENDS?"]


def test_names_of_others_are_ignored() -> None:
    assert load({**TOKEN, "EASELS": "3", "PATH": "/bin"}, None) == load(TOKEN, None)


def test_defaults_above_the_limits_are_a_problem() -> None:
    (line,) = problems({**TOKEN, "EASEL_DEFAULT_STEPS": "50", "EASEL_MAX_STEPS": "40"})
    assert line.startswith("EASEL_DEFAULT_STEPS:")
    assert "between 1 and 40" in line
    (line,) = problems({**TOKEN, "EASEL_MAX_PIXELS": "10000"})
    assert line.startswith("EASEL_DEFAULT_WIDTH AND HEIGHT:")


def test_a_backend_gets_its_credentials_by_number() -> None:
    settings = load(
        {**TOKEN, "EASEL_BACKENDS": "sketch, webui=http://gpu:7860", "EASEL_BACKEND_2_AUTH": "me:hidden"}, None
    )
    assert settings.backend_addresses[1].auth == ("me", "hidden")
    assert settings.secrets == ("a-token-of-my-own", "hidden")


def test_a_bad_backend_and_stray_credentials_are_problems() -> None:
    assert "kind of backend" in problems({**TOKEN, "EASEL_BACKENDS": "paint=http://me:hidden@gpu"})[0]
    (line,) = problems({**TOKEN, "EASEL_BACKEND_3_AUTH": "me:hidden"})
    assert line.startswith("EASEL_BACKEND_3_AUTH")


def test_a_bot_that_does_not_paint_needs_a_database_that_workers_can_share() -> None:
    [line] = problems({**TOKEN, "EASEL_BACKENDS": "none"})
    assert line.startswith("EASEL_BACKENDS is none, and with SQLite no worker can join")
    shared = load({**TOKEN, "EASEL_BACKENDS": "none", "DATABASE_URL": "postgresql://db/easel"}, None)
    assert shared.backend_addresses == ()


def test_a_bot_that_does_not_paint_may_have_the_passwords_of_its_workers_backends_in_its_settings() -> None:
    shared = {**TOKEN, "DATABASE_URL": "postgresql://db/easel", "EASEL_BACKEND_1_AUTH": "me:hidden"}
    assert load({**shared, "EASEL_BACKENDS": "none"}, None).backend_addresses == ()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://easel:hid@den@db/easel",
        "postgresql://easel:hid/den@db/easel",
        "postgresql://easel:hid?den@db/easel",
        "postgresql://easel:hid#den@db/easel",
        "postgresql://easel:hidden@db:port/easel",
    ],
)
def test_an_address_whose_password_would_be_misread_and_shown_is_refused(address: str) -> None:
    [line] = problems({**TOKEN, "DATABASE_URL": address})
    assert line.startswith("DATABASE_URL: it must be like postgresql://user:password@host:5432/name")
    assert "@ is written %40" in line
    assert "den@" not in line


def test_premium_servers_are_read_as_ids() -> None:
    assert load({**TOKEN, "EASEL_PREMIUM_GUILDS": "12, 34,"}, None).premium_guild_ids == {12, 34}


def test_the_log_level_may_be_written_small() -> None:
    assert load({**TOKEN, "EASEL_LOG_LEVEL": "debug"}, None).log_level == "DEBUG"


def test_secrets_are_in_no_repr_and_no_traceback() -> None:
    environ = {
        "DISCORD_TOKEN": "hidden-token",
        "EASEL_BACKENDS": "webui=http://me:hidden-one@gpu:7860",
        "EASEL_BACKEND_1_AUTH": "me:hidden-two",
    }
    assert "hidden" not in repr(load(environ, None))
    environ.update(EASEL_BACKEND_1_AUTH="hidden-two", EASEL_MAX_STEPS="many")
    try:
        load(environ, None)
    except SettingsError:
        assert "hidden" not in traceback.format_exc()


def test_settings_never_change() -> None:
    settings = load(TOKEN, None)
    with pytest.raises(ValueError, match="frozen"):
        settings.max_steps = 1  # type: ignore[misc]


def test_every_setting_has_one_sentence() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert field.description.endswith(".")
