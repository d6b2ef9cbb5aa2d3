import time

from bot.backends.address import BackendAddress
from bot.backends.sketch.painter import Sketch
from bot.domain.capability import Capabilities, Listing
from bot.domain.job import Ping, Place, State
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.ports import Backend
from bot.imaging.imaging import Imaging
from bot.services.catalogue import Catalogue
from bot.services.preferences import Effective, Scope
from bot.ui import tables
from tests.unit.ui_jobs import ASKER, job

EFFECTIVE = Effective(
    options=Options(model="dream_8", width=768, height=512, count=1, steps=25, cfg_scale=7.0, spoiler=False),
    limits=Limits(),
    language=None,
    ping=Ping.MENTION,
    reactions=True,
    sources=dict.fromkeys(tables.SERVER, Scope.HOST) | {"model": Scope.PERSON, "steps": Scope.SERVER},
)


class Lister(Sketch):
    """A backend of which only the lists matter."""

    def __init__(self, *models: str, loaded: str | None = None) -> None:
        super().__init__(BackendAddress("sketch", "gpu1"), clock=time.time, imaging=Imaging())
        self.listed = Capabilities({Listing.MODELS: models}, loaded_model=loaded)

    async def capabilities(self) -> Capabilities:
        return self.listed


async def catalogue(backend: Backend) -> Catalogue:
    filled = Catalogue([backend])
    await filled.refresh(backend)
    return filled


def test_a_setting_is_its_name_its_value_and_whose_word_it_is() -> None:
    embed = tables.settings(EFFECTIVE, tables.SERVER, "This server", "en")
    lines = (embed.description or "").splitlines()
    assert lines[0] == "`model`  dream\\_8  · you"
    assert "`steps`  25  · this server" in lines
    assert "`cfg_scale`  7  · this bot" in lines
    assert "`spoiler`  off  · this bot" in lines
    assert "`sampler`  —" in lines
    assert "`ping`  mention  · this bot" in lines
    assert len(lines) == len(tables.SERVER)


async def test_models_name_the_default_first_and_what_is_in_memory() -> None:
    listed = await catalogue(Lister("anything.safetensors [0123456789]", "dream_8", loaded="dream_8"))
    embed = tables.models(listed, EFFECTIVE, "en")
    assert (embed.description or "").splitlines() == [
        "**dream\\_8** · your default · in memory",
        "anything",
    ]


async def test_many_models_are_counted_after_the_first_few() -> None:
    embed = tables.models(await catalogue(Lister(*(f"m{n}" for n in range(1000)))), EFFECTIVE, "en")
    assert (embed.description or "").endswith("m14\n… and 985 more")


def test_no_models_yet_is_said_in_words() -> None:
    assert "No backend" in (tables.models(Catalogue([]), EFFECTIVE, "en").description or "")


def test_the_line_shows_who_and_how_long_and_nobodys_prompt() -> None:
    jobs = [job("a secret", id=1, state=State.RUNNING), job("a secret", id=2), job("a secret", id=3, user=9)]
    places = {2: Place(1, 1024, 12.0), 3: Place(2, 2048)}
    embed = tables.queue(jobs, places, asker=ASKER, locale="en")
    assert (embed.description or "").splitlines() == [
        f"**`1`  painting  · <@{ASKER}>**",
        f"**`2`  2nd, about 12 s  · <@{ASKER}>**",
        "`3`  3rd  · <@9>",
    ]
    assert tables.queue([], {}, asker=ASKER, locale="en").description == "Nobody waits here."


def test_help_names_commands_that_can_be_clicked_where_their_ids_are_known() -> None:
    page = tables.help_page({"draw": 123}, "en").description or ""
    assert "</draw:123>  paints" in page
    assert "`/remix`  paints" in page
