"""Everything that ``bot.ui`` draws, each by its name, filled with as much of a text as may ever get there."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import discord

from bot.domain.asker import Asker
from bot.domain.breaker import Condition
from bot.domain.capability import Capabilities, Feature, Listing, ModelFacts
from bot.domain.errors import Failure, RejectedError, RequestError
from bot.domain.gallery import Found, Tally
from bot.domain.job import Address, Job, JobSpec, Origin, Picture, Ping, Place, Result, Sheet, State
from bot.domain.limits import MAX_LORAS, MAX_PROMPT, MAX_SEVERAL, Limits
from bot.domain.options import Options
from bot.domain.ports import Progress
from bot.domain.request import (
    MAX_SEED,
    Control,
    ControlMode,
    CutoutRequest,
    DescribeRequest,
    Detail,
    FaceSwap,
    Hires,
    Lora,
    Mask,
    PaintRequest,
    Refiner,
    UpscaleRequest,
    Variation,
    Work,
)
from bot.domain.roster import Outage, Standing
from bot.domain.rules import Rules
from bot.domain.snippets import MAX_NAME, MAX_SNIPPETS, Kind, ModelCard, Preset, Snippet, Style, Wildcards
from bot.domain.text import Text
from bot.services.allowing import CapError
from bot.services.drafts import Draft
from bot.services.gallery import PER_PAGE
from bot.services.models import MAX_PATTERNS, About, Backing
from bot.services.preferences import EMOJI, Effective, Scope
from bot.services.presets import ADMINS_OWN
from bot.services.upkeep import Report
from bot.ui import (
    buttons,
    cards,
    explore,
    failures,
    fleet,
    guide,
    history,
    library,
    lighter,
    modals,
    models,
    queue,
    settings,
    stats,
    tables,
    warned,
    work,
)
from bot.ui.card import Attachment, Card
from tests.unit.ui_builders_adult import ADULT
from tests.unit.ui_builders_reviews import REVIEWS
from tests.unit.ui_builders_roles import ROLES
from tests.unit.ui_builders_rules import RULES
from tests.unit.ui_builders_scopes import SCOPES
from tests.unit.ui_payloads import Drawn

LARGEST = 2**63 - 2
MANY = 50
NOW = 1_700_000_000.0
PNG = b"\x89PNG\r\n\x1a\n"
ASKER = Asker(LARGEST, LARGEST, LARGEST, moderates=True, moderates_server=True, manages=True)
ALL = frozenset(Feature)


def request(text: str) -> PaintRequest:
    """An order of all that there is, each of its texts ``text``."""
    return PaintRequest(
        text,
        MAX_SEED,
        negative_prompt=text,
        model=text,
        width=2048,
        height=1536,
        count=4,
        steps=60,
        cfg_scale=29.999,
        sampler=text,
        scheduler=text,
        loras=(Lora(text, -3.999),) * MAX_LORAS,
        strength=0.123456,
        mask=Mask("blob", padding=256, invert=True),
        vae=text,
        clip_skip=12,
        styles=(text,) * MAX_SEVERAL,
        tiling=True,
        restore_faces=True,
        variation=Variation(MAX_SEED, 0.123456),
        hires=Hires(3.999, text, 60, 0.123456),
        refiner=Refiner(text, 0.123456),
        controls=(Control("blob", text, text, mode=ControlMode.CONTROL),) * MAX_SEVERAL,
        details=(Detail(text, text, text, 0.123456, 0.123456),) * MAX_SEVERAL,
        face_swap=FaceSwap("blob", 20, 20, text),
    )


def job(text: str, **changes: Any) -> Job:
    """A delivered job with four pictures; its id and its people's are the largest there are."""
    pictures = tuple(Picture("blob", "image/png", 8192, 6144, MAX_SEED - i, text) for i in range(4))
    result = Result(pictures, text, 99_999.9, text, text, text, (text,) * MANY, text)
    made = Job(
        id=LARGEST,
        key="i:1:0",
        lane="default",
        guild=LARGEST,
        user=LARGEST,
        state=State.DELIVERED,
        spec=replace(JobSpec(request(text), template=text), **changes.pop("spec", {})),
        address=Address(LARGEST, LARGEST, LARGEST),
        token=None,
        cost=1,
        tag=0,
        attempt=1,
        crashes=0,
        created_at=NOW,
        result=result,
        failure=Failure(text, text, {"reason": text}, code="K7F2", smaller_may_help=True),
        cancelled_by=1,
    )
    return replace(made, **changes)


def _pages(draw: Callable[[Job], Drawn]) -> Callable[[str], Drawn]:
    return lambda text: draw(job(text))


def _at_work(asked: Work, text: str, prompt: str = "") -> Job:
    made = job(
        text, spec={"work": asked, "origin": Origin.UPSCALE, "request": PaintRequest(prompt, 1, model=text)}
    )
    assert made.result is not None
    return replace(made, result=replace(made.result, pictures=made.result.pictures[:1]))


def upscale(text: str) -> UpscaleRequest:
    """A large order for a larger picture."""
    return UpscaleRequest(text, 3.999, text, 0.123456, 1.0, image="blob", width=2048, height=1536)


def cells(text: str) -> list[Job]:
    """A whole exploration, of which the last cell failed."""
    labels = (text,) * 5
    sheets = [Sheet("k", i, "negative_prompt", labels, "control_module", labels) for i in range(25)]
    made = [job(text, id=LARGEST - i, spec={"sheet": sheet}) for i, sheet in enumerate(sheets)]
    return [*made[:-1], replace(made[-1], state=State.FAILED)]


def _found(text: str, pictures: int = PER_PAGE) -> history.Page:
    wanted = history.search({"words": text[: history.MAX_WORDS] or "a", "model": text or "a"}, ASKER, NOW)
    wanted = replace(wanted, after=9e9, before=9e9, favourites=True, everywhere=True)
    jobs = tuple(job(text, id=LARGEST - i) for i in range(pictures))
    favourites = frozenset(each.id for each in jobs)
    notes = {each.id: history.HIDDEN_AGE for each in jobs}
    return history.Page(wanted, 10**6, Found(10**9, jobs, favourites), notes)


def _effective(text: str) -> Effective:
    options = Options.of(request(text))
    names = (*tables.SERVER, *tables.REACTIONS)
    sources = dict.fromkeys(names, Scope.SERVER)
    emoji: dict[str, Any] = dict.fromkeys(EMOJI, "<a:a_rather_long_name_of_an_emoji_:12345678901234567890>")
    return Effective(
        options, Limits(), "en", Ping.MENTION, True, Rules(), sources, accent="#3ba55d", show_backend=True, **emoji
    )


def _offer(text: str) -> guide.Offer:
    paths = {f"{name} subcommand": text[:100] or "a" for topic in guide.TOPICS for name in topic.commands}
    several = {f"group{i} and {'x' * 32}{j}": text[:100] for i in range(10) for j in range(10)}
    return guide.Offer(paths | several, (text[:32] or "a",) * 5, {"draw": LARGEST})


def _shelf(text: str) -> discord.Embed:
    name = text[:MAX_NAME] or "a"
    kept = [Snippet(Kind.PRESET, scope, 1, name, {}, 1, NOW) for scope in Scope for _ in range(MAX_SNIPPETS)]
    return library.shelf(Kind.PRESET, kept, [("Elsewhere", [text] * MANY)], "en")


def _preset(text: str) -> discord.Embed:
    raw: dict[str, Any] = {key: {text: text} for key in ADMINS_OWN}
    kept = Preset(text[:MAX_NAME] or "a", replace(Options.of(request(text)), **raw), text)
    return library.preset(kept, "en")


def _reports(text: str, count: int) -> list[Report]:
    listings = dict.fromkeys(Listing, (text,) * 1000)
    known = Capabilities(listings, ALL, text, text, {text: text})
    outage = Outage(NOW, RejectedError(text, text))
    away = Standing(Condition.AWAY, outage, 9, 9, 10**9, 10**9)
    report = Report(text, away, text, 1e9, known)
    return [report, replace(report, standing=replace(away, outage=None), node=text[:100])] * count


def _about(text: str) -> About:
    facts = ModelFacts(text, text, (text,) * 100)
    model_card = ModelCard(text, text[:200], text[:500])
    return About(text, facts, model_card, (Backing(text, True, 1e9),) * MANY, allowed=False, sample=PNG)


def _line(text: str) -> queue.Line:
    jobs = [job(text, id=LARGEST - i, state=State.QUEUED) for i in range(220)]
    return queue.Line(jobs, {each.id: Place(10**6, 1, 1e6) for each in jobs}, NOW)


def _typed(text: str) -> settings.Typed:
    return settings.Typed(text, Options.of(request(text)), preset=text[:MAX_NAME], private=True)


def file(text: str = "") -> Attachment:
    """A picture with a text that screen readers say."""
    return cards.attachment(job(text), 0, PNG, "image/png")


def _counted(text: str) -> Card:
    first = cells(text)[0]
    one = cards.waiting(first, Place(10**6, 1, 1e6))
    return explore.counted(one, first, 24, 25, 0.99, waits=True)


def _chart(text: str) -> Card:
    tally = Tally((10**9,) * 30, 10**9, ((text, 10**9),) * 5, 1e6, 1e6)
    chart = Attachment("easel-stats.png", PNG, stats.alt_text(tally, 0.0, "en"))
    return stats.card(tally, chart, "en", person=False)


def _history(text: str) -> Card:
    shown = _found(text)
    return history.page(shown, Attachment("easel-history.webp", PNG, history.alt_text(shown.found, "en")), "en")


def _painters(text: str) -> Card:
    links = dict.fromkeys(("Source", "Privacy", "Support"), f"https://example.com/{'x' * 400}")
    return guide.about(guide.Facts("1.0.0", "MIT", {text[:60] or "a": 9}, 10**9, NOW, links), "en")


def _described(text: str) -> Card:
    made = _at_work(DescribeRequest("blob", text), text)
    assert made.result is not None
    return work.described(made, made.result, (text, "https://cdn.example/a.png"), PNG)


def _too_dear(text: str) -> CapError:
    error = CapError("{a} {b}", "{b}", a=1.5, b=text)
    error.lighter = (Draft(Asker(1), JobSpec(request(text))),)
    return error


BUILDERS: Mapping[str, Callable[[str], Drawn]] = {
    "buttons.waiting": _pages(buttons.waiting),
    "buttons.finished": _pages(lambda made: buttons.finished(made, pictures=4, offered=ALL, reduced=True)),
    "buttons.finished one": _pages(lambda made: buttons.finished(made, pictures=1, offered=ALL, reduced=True)),
    "buttons.taken": _pages(buttons.taken),
    "buttons.failed": _pages(lambda made: buttons.failed(made, smaller=True)),
    "buttons.cancelled": _pages(buttons.cancelled),
    "cards.waiting": _pages(lambda made: cards.waiting(made, Place(10**9, 1, 1e9))),
    "cards.no_painter": lambda text: cards.no_painter(
        job(text), NOW, RejectedError("It said: {reason}", reason=text)
    ),
    "cards.paused": _pages(cards.paused),
    "cards.painting": lambda text: cards.painting(
        job(text), Progress(0.5, 10**9, 10**9, 1e9, PNG), backend=text or None
    ),
    "cards.finished": lambda text: cards.finished(
        job(text),
        (text, "https://cdn.example/a.png"),
        [file(text)],
        [text] * MANY,
        offered=ALL,
        lineage=f"Varied from https://discord.com/channels/{LARGEST}/{LARGEST}/{LARGEST}",
        accent="#3ba55d",
    ),
    "cards.single": lambda text: cards.single(job(text), 3, file(text), [text] * MANY),
    "cards.taken": lambda text: cards.taken(
        job(text), 3, (text, "https://cdn.example/a.png"), file(text), [text] * MANY
    ),
    "cards.gathered": lambda text: cards.gathered(job(text), [file(text)] * 4, [text] * MANY),
    "cards.untransmittable": _pages(lambda made: cards.untransmittable(made, ALL)),
    "cards.failed": _pages(cards.failed),
    "cards.cancelled": _pages(cards.cancelled),
    "cards.not_queued": lambda _: cards.not_queued("en"),
    "cards.wait_is_over": _pages(cards.wait_is_over),
    "cards.settings": _pages(lambda made: cards.settings(made, "en")),
    "cards.settings of an upscaled picture": lambda text: cards.settings(
        _at_work(upscale(text), text, text), "en"
    ),
    "cards.settings of an unknown picture": lambda text: cards.settings(_at_work(upscale(text), text), "en"),
    "cards.waiting for an upscaler": lambda text: cards.waiting(_at_work(upscale(text), text), None),
    "cards.finished by an upscaler": lambda text: cards.finished(_at_work(upscale(text), text), None, [file()]),
    "cards.finished by a cutter": lambda text: cards.finished(
        _at_work(CutoutRequest("blob", text), text), None, [file()]
    ),
    "explore.counted": _counted,
    "explore.finished": lambda text: explore.finished(
        cells(text),
        (text, "https://cdn.example/a.png"),
        explore.picture(cells(text), PNG, "image/png"),
        [text] * MANY,
    ),
    "explore.failed": lambda text: explore.failed(cells(text)[-1]),
    "explore.cancelled": lambda text: explore.cancelled(cells(text)[-1]),
    "explore.settings": lambda text: explore.settings(cells(text), "en"),
    "failures.explain": lambda text: failures.explain(RequestError(text, "{a} {b}", a=text, b=text), "en"),
    "failures.explain our own": lambda text: failures.explain(ValueError(text), "en", code="K7F2"),
    "fleet.backends": lambda text: fleet.backends(_reports(text, 1), "en"),
    "fleet.backends many": lambda text: fleet.backends(_reports(text, 12), "en"),
    "guide.page": lambda text: guide.page("start", _offer(text), "en"),
    "guide.page of the rest": lambda text: guide.page("more", _offer(text), "en"),
    "guide.about": _painters,
    "history.nothing": lambda text: history.nothing(_found(text).wanted, "en"),
    "history.page": _history,
    "history.only_in_message": _pages(lambda made: history.only_in_message(made, "en")),
    "library.shelf": _shelf,
    "library.preset": _preset,
    "library.style": lambda text: library.style(Style(text[:MAX_NAME] or "a", text, text), "en"),
    "library.wildcards": lambda text: library.wildcards(Wildcards(text[:MAX_NAME] or "a", (text,) * 10_000), "en"),
    "library.kept": lambda text: library.kept(library.told(text or "a"), "en", replaced=True),
    "library.told": lambda text: library.told(text or "a"),
    "modals.edit": _pages(lambda made: modals.edit(made, "en")),
    "modals.form": lambda text: modals.form("easel-x", text or "a", request(text), "en"),
    "modals.open_form": lambda text: modals.open_form("easel-x", "Edit", _typed(text), "en"),
    "modals.remix": _pages(lambda made: modals.remix(made, "en", 4)),
    "modals.remix_form": lambda text: modals.remix_form(f"{modals.PICTURE_FORM}{LARGEST}:{LARGEST}", text, "en"),
    "models.page": lambda text: models.page(
        [text] * 1000, 3, text[: models.MAX_WORDS], _effective(text), frozenset({text}), "en"
    ),
    "models.page of nothing": lambda text: models.page(
        [], 0, text[: models.MAX_WORDS], _effective(text), frozenset(), "en"
    ),
    "models.about": lambda text: models.about(_about(text), "en"),
    "models.rules": lambda text: models.rules(
        Rules((text[:200],) * MAX_PATTERNS, (text[:200],) * MAX_PATTERNS), "en"
    ),
    "queue.panel": lambda text: queue.panel(_line(text), ASKER, live=True),
    "stats.nothing": lambda _: stats.nothing("en"),
    "stats.card": _chart,
    "tables.settings": lambda text: tables.settings(_effective(text), tables.SERVER, "This server", "en"),
    "tables.settings of reactions": lambda text: tables.settings(_effective(text), tables.REACTIONS, "Here", "en"),
    "warned.question": lambda text: warned.question(
        [Text("{a} {b}", {"a": n, "b": text}) for n in range(MANY)], LARGEST, "en"
    ),
    "work.described": _described,
    "work.recipe": lambda text: work.recipe(request(text), "f" * 64, "en", spoiler=True),
    "work.draw_form": lambda text: work.draw_form(request(text), "en"),
    "lighter.offer": lambda text: lighter.offer(_too_dear(text), LARGEST, "en"),
    **SCOPES,
    **REVIEWS,
    **ADULT,
    **ROLES,
    **RULES,
}
"""By ``<module>.<function>``; what comes after a space tells apart several ways to draw with the same one."""

LONGEST = (
    "x" * MAX_PROMPT,
    "*" * MAX_PROMPT,
    "`" * MAX_PROMPT,
    "\U0001d54f" * MAX_PROMPT,
    "\uff37" * MAX_PROMPT,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * (MAX_PROMPT // 5),
    "\u05e9\u05dc\u05d5\u05dd \u202e" * (MAX_PROMPT // 6),
    "a\u0301\u0323" * (MAX_PROMPT // 3),
    "@everyone <@1> " * (MAX_PROMPT // 15),
    "# - 1. > \n" * (MAX_PROMPT // 10),
    "\u200b" * MAX_PROMPT,
    "{a} {reason} %s " * (MAX_PROMPT // 16),
    "",
    " \n\t ",
)
"""Texts as long, as wide and as unlike words as they come."""
