from bot.domain.job import Ping
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.rules import Rules
from bot.services.preferences import Effective, Scope
from bot.ui import tables

EFFECTIVE = Effective(
    options=Options(model="dream_8", width=768, height=512, count=1, steps=25, cfg_scale=7.0, spoiler=False),
    limits=Limits(),
    language=None,
    ping=Ping.MENTION,
    reactions=True,
    rules=Rules(),
    sources=dict.fromkeys(tables.SERVER, Scope.HOST) | {"model": Scope.PERSON, "steps": Scope.SERVER},
)


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
