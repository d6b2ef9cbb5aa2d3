from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError, LimitError, RequestError
from bot.domain.options import Options, Shape
from bot.domain.ports import SettingsStore
from bot.domain.request import ControlMode, Hires, Lora, PaintRequest, Workflow
from bot.domain.snippets import MAX_SNIPPETS, Kind, ModelCard, Preset, Snippet, Style, Wildcards
from bot.services import presets, snippets
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.preferences import Scope
from bot.services.snippets import Snippets
from bot.storage.snippets import StoredSnippets
from bot.storage.sqlite import SqliteDatabase


class Nothing:
    """A store that nobody has set anything in, and a log that nobody reads."""

    async def load(self, *_: object) -> Mapping[str, object]:
        return {}

    async def record(self, *_: object) -> None:
        pass


ADA = Asker(1, guild_id=10)
ADMIN = Asker(2, guild_id=10, manages=True)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[StoredSnippets]:
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path))
    await database.open()
    yield StoredSnippets(database)
    await database.close()


def fresh(store: StoredSnippets) -> Snippets:
    settings = cast("SettingsStore", Nothing())
    authority, log = Authority(settings), cast("Auditing", Nothing())
    return Snippets(store, authority, log, clock=lambda: 5.0, read_host_lists=lambda: {"host": ("one",)})


FULL = Options(
    negative_prompt="fog",
    shape=Shape.WIDE,
    steps=7,
    cfg_scale=5.5,
    loras=(Lora("water", 0.5),),
    hires=Hires(1.5, "Latent"),
    tiling=True,
    workflow=Workflow("poster", {"a": 1}),
    overrides={"eta": 0.5},
    extra={"deep": {"er": [1, 2]}},
    parts={"controls": {"model": "canny", "mode": ControlMode.PROMPT}, "hires": {"steps": 3}},
)


async def test_everything_that_a_preset_holds_comes_back_in_its_own_type(store: StoredSnippets) -> None:
    await fresh(store).keep(ADMIN, Preset("full", FULL, "a {prompt}"), server=True)
    found = await fresh(store).preset(ADA, "FULL")
    assert found == Preset("full", FULL, "a {prompt}")
    assert found.options.parts is not None
    assert isinstance(found.options.parts["controls"]["mode"], ControlMode)


async def test_only_a_servers_presets_hold_what_is_the_admins(store: StoredSnippets) -> None:
    kept = fresh(store)
    with pytest.raises(RequestError, match="Only a server's presets may hold “overrides”"):
        await kept.keep(ADMIN, Preset("x", Options(overrides={"a": 1})))
    with pytest.raises(DeniedError, match="Manage Server"):
        await kept.keep(ADA, Preset("x", Options(overrides={"a": 1})), server=True)
    with pytest.raises(RequestError, match="no server here"):
        await kept.keep(Asker(1), Style("x", "ink"), server=True)


async def test_a_new_one_takes_the_place_of_the_old_however_its_name_is_cased(store: StoredSnippets) -> None:
    kept = fresh(store)
    assert not await kept.keep(ADA, Style("Ink", "one"))
    assert await kept.keep(ADA, Style("INK", "two"))
    assert await kept.names(ADA, Kind.STYLE) == ("INK",)
    assert (await fresh(store).style(ADA, "ink")).prompt == "two"
    await kept.forget(ADA, Kind.STYLE, "iNk")
    assert await fresh(store).names(ADA, Kind.STYLE) == ()


async def test_a_person_and_a_server_keep_a_hundred_of_each_kind(
    store: StoredSnippets, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_SNIPPETS == 100
    monkeypatch.setattr(snippets, "MAX_SNIPPETS", 3)
    kept = fresh(store)
    for number in range(3):
        await kept.keep(ADA, Style(f"s{number}", "ink"))
    with pytest.raises(LimitError, match="3 of them are kept already"):
        await kept.keep(ADA, Style("s3", "ink"))
    await kept.keep(ADA, Style("s2", "other ink"))
    await kept.keep(ADA, Preset("s3", Options(steps=3)))
    with pytest.raises(LimitError, match="too large"):
        await kept.keep(ADA, Wildcards("x", ("y" * 1000,) * 100))


async def test_names_are_held_to_what_a_prompt_and_discord_take(store: StoredSnippets) -> None:
    kept = fresh(store)
    for name in ("", " ", "x" * 33, "a\x00b"):
        with pytest.raises(RequestError, match="no name"):
            await kept.keep(ADA, Style(name, "ink"))
    for name in ("a,b", 'a"b'):
        with pytest.raises(RequestError, match="part the names of styles"):
            await kept.keep(ADA, Style(name, "ink"))
    await kept.keep(ADA, Preset("a,b", Options(steps=3)))
    for name in ("a__b", "_a", "a b", "a{b}"):
        with pytest.raises(RequestError, match="cannot stand in a prompt"):
            await kept.keep(ADA, Wildcards(name, ("x",)))
    await kept.keep(ADA, Wildcards("a/b-c.d_e", ("x",)))


async def test_an_unknown_name_comes_with_the_nearest(store: StoredSnippets) -> None:
    kept = fresh(store)
    with pytest.raises(RequestError, match=r"no preset “x” here\. Keep one"):
        await kept.preset(ADA, "x")
    await kept.keep(ADA, Preset("landscape", Options(steps=3)))
    with pytest.raises(RequestError, match="nearest is “landscape”"):
        await kept.preset(ADA, "landscap")


async def test_what_is_somebody_elses_to_delete_is_said_to_be(store: StoredSnippets) -> None:
    kept = fresh(store)
    await kept.reread()
    await kept.keep(ADMIN, Style("ours", "ink"), server=True)
    await kept.keep(ADMIN, Style("mine", "ink"))
    for asker, kind, name, server, words in (
        (ADMIN, Kind.WILDCARD, "HOST", False, "is the host's, for everybody. Only the host can delete it"),
        (ADMIN, Kind.STYLE, "Ours", False, "is this server's, not your own. Choose server:True"),
        (ADMIN, Kind.STYLE, "mine", True, "is your own, not this server's. Leave “server” out"),
        (ADMIN, Kind.STYLE, "mi", False, "no style “mi” here. The nearest is “mine”"),
    ):
        with pytest.raises(RequestError, match=words):
            await kept.forget(asker, kind, name, server=server)
    for asker, server in ((ADA, True), (ADA, False)):
        with pytest.raises(DeniedError, match=r"Only members with Manage Server may .*\. Ask one of them"):
            await kept.forget(asker, Kind.STYLE, "ours", server=server)


async def test_ones_own_list_stands_before_the_servers_and_that_before_the_hosts(store: StoredSnippets) -> None:
    kept = fresh(store)
    assert await kept.reread() == 1
    assert await kept.lists(ADA) == {"host": ("one",)}
    assert (await kept.wildcards(ADA, "HOST")).lines == ("one",)
    await kept.keep(ADMIN, Wildcards("Host", ("two",)), server=True)
    assert (await kept.wildcards(ADA, "host")).lines == ("two",)
    await kept.keep(ADA, Wildcards("HOST", ("three",)))
    assert (await kept.lists(ADA))["HOST"] == ("three",)
    assert await kept.names(ADA, Kind.WILDCARD) == ("HOST",)
    assert await kept.suggest(Asker(3), Kind.WILDCARD, "ho") == ["host"]


async def test_what_is_remembered_is_bounded(store: StoredSnippets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snippets, "CACHED_CHARS", 300)
    kept = fresh(store)
    for user in range(1, 5):
        await kept.keep(Asker(user), Style("ink", "x" * 200))
    assert len(kept._shelves) == 1
    assert (await kept.style(Asker(1), "ink")).prompt == "x" * 200


async def test_a_body_of_another_version_stops_nothing(store: StoredSnippets) -> None:
    kept = fresh(store)
    await kept.keep(ADA, Preset("odd", Options(steps=3)))
    await store.save(Snippet(Kind.PRESET, "person", 1, "odd", {"options": {"steps": "?"}}, 1, 5.0))
    with pytest.raises(RequestError, match="no preset “odd”"):
        await fresh(store).preset(ADA, "odd")
    assert await fresh(store).presets(ADA, Scope.PERSON) == ()


async def test_the_samples_of_all_cards_are_known(store: StoredSnippets) -> None:
    kept = fresh(store)
    await kept.keep(ADMIN, ModelCard("dream", sample="abc"), server=True)
    await kept.keep(ADMIN, ModelCard("photo", note="good"), server=True)
    assert await kept.samples() == {"abc"}
    assert await kept.card(ADA, "DREAM") == ModelCard("dream", sample="abc")
    assert await kept.card(ADA, "other") is None


@pytest.mark.parametrize(
    "options",
    [
        Options(extra={"width": 8192}),
        Options(extra={"override_settings": {}}),
        Options(overrides={"sd_model_checkpoint": "other"}),
        Options(overrides={"outdir_samples": "/srv"}),
    ],
)
async def test_limits_and_rules_are_not_passed_by_raw_fields(store: StoredSnippets, options: Options) -> None:
    with pytest.raises(RequestError, match="cannot be set raw"):
        await fresh(store).keep(ADMIN, Preset("x", options), server=True)


def test_a_style_is_laid_around_a_prompt_or_added_to_it() -> None:
    assert Style("x", "ink of {prompt}, fine", "blur").applied("a fox", "fog") == (
        "ink of a fox, fine",
        "fog, blur",
    )
    assert Style("x", "ink").applied("a fox") == ("a fox, ink", "")
    assert Style("x", "ink").applied("") == ("ink", "")
    assert Preset("x").applied("a fox") == "a fox"


def test_a_preset_of_a_request_keeps_no_seed_and_no_picture() -> None:
    request = PaintRequest("a fox", 7, steps=9, init_image="abc", loras=(Lora("water"),), strength=0.5)
    options = presets.of_request(request)
    assert options.steps == 9
    assert options.loras == (Lora("water"),)
    assert options.seed is None
    assert options.controls is None
    assert options.styles is None


def test_a_file_of_presets_is_read_as_it_was_written() -> None:
    kept = (Preset("full", FULL, "a {prompt}"), Preset("plain", Options(steps=3)))
    assert presets.imported(presets.exported(kept)) == kept
