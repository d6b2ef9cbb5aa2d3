"""What ``bot.ui`` draws about adult pictures and where the bot is a guest, for ``ui_builders``."""

from collections.abc import Callable, Mapping

from bot.domain.adult import Adult
from bot.prompting.rewording import Reworded, Wish
from bot.services.adult import MAX_PATTERNS
from bot.ui import adult, cards, wording
from tests.unit.ui_jobs import job
from tests.unit.ui_payloads import Drawn

ADULT: Mapping[str, Callable[[str], Drawn]] = {
    "adult.shown": lambda text: adult.shown((Adult.OFF, ()), [text] * MAX_PATTERNS, "en", here=False),
    "adult.shown there": lambda text: adult.shown((Adult.RESTRICTED, ()), (text,), "en", here=True),
    "adult.shown nowhere": lambda _: adult.shown(None, (), "en", here=False),
    "cards.withheld": lambda text: cards.withheld(job(text), sent=False),
    "cards.withheld sent": lambda text: cards.withheld(job(text), sent=True),
    "cards.follows": lambda text: cards.follows(job(text), 20),
    "wording.tried adult": lambda text: wording.tried(text, Reworded(text), Wish(text), "en"),
}
