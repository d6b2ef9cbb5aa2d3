"""What is drawn of held results, strikes and blocks, for ``ui_builders``."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.domain.job import Address, Job, JobSpec, Picture, Result, Sheet, State
from bot.domain.request import MAX_SEED, PaintRequest
from bot.domain.reviewing import MAX_STRIKES, Cause, Hold, Review, ReviewRule, Sentence, Strike, Verdict
from bot.ui import reviews
from bot.ui.card import Attachment
from tests.unit.ui_payloads import Drawn

LARGEST = 2**63 - 2
NOW = 1_700_000_000.0
REVIEW = Review(
    LARGEST, LARGEST, Verdict.HELD, Cause.FLAGGED, NOW, LARGEST, "n" * 100, 1.0, LARGEST, LARGEST, Verdict.HELD
)
RULE = ReviewRule(LARGEST, Hold.UNTRUSTED, LARGEST, MAX_STRIKES)
FILE = Attachment(f"easel-{LARGEST}-0.png", b"\x89PNG\r\n\x1a\n", spoiler=True)


def _job(text: str, sheet: Sheet | None = None) -> Job:
    spec = JobSpec(PaintRequest(text, MAX_SEED, model=text or None), sheet=sheet)
    place = Address(LARGEST, LARGEST, LARGEST)
    job = Job(LARGEST, "k", "default", LARGEST, LARGEST, State.PAINTED, spec, place, None, 1, 0, 1, 0, NOW)
    picture = Picture("ab" * 32, "image/png", 2048, 2048, MAX_SEED)
    return replace(job, result=Result((picture,) * 4, "gpu", 1.0, text, text, text))


def _sheet(text: str) -> Sheet:
    return Sheet("k", 0, "prompt", (text,) * 25, "steps", tuple(map(str, range(25))))


def _card(verdict: Verdict, sheet: Callable[[str], Sheet] | None = None) -> Callable[[str], Drawn]:
    review = replace(REVIEW, verdict=verdict)
    return lambda text: reviews.card(_job(text, sheet and sheet(text)), review, "en", (FILE,))


REVIEWS: Mapping[str, Callable[[str], Drawn]] = {
    "reviews.held": lambda text: reviews.held(_job(text)),
    **{f"reviews.card {verdict}": _card(verdict) for verdict in Verdict},
    "reviews.card of a sheet": _card(Verdict.HELD, _sheet),
    "reviews.rule": lambda text: reviews.rule(RULE, [REVIEW] * 9, [text[:300]], "en", classifies=True),
    "reviews.rule of nothing": lambda _: reviews.rule(
        ReviewRule(strikes_to_block=0), [], [], "en", classifies=False
    ),
    "reviews.sentenced": lambda _: reviews.sentenced(LARGEST, Sentence(1, NOW), RULE, "en"),
    "reviews.sentenced to come": lambda _: reviews.sentenced(LARGEST, Sentence(2), RULE, "en"),
    "reviews.strikes": lambda _: reviews.strikes(
        LARGEST, [Strike(LARGEST, LARGEST, LARGEST - 5, NOW, LARGEST)] * 100, NOW, "en"
    ),
    "reviews.strikes of nobody": lambda _: reviews.strikes(LARGEST, [], None, "en"),
}
