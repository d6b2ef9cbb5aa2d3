"""Results that moderators look at first: what the asker sees, the card under which they decide, and the lists."""

import re
from collections.abc import Sequence

import discord

from bot.domain.codes import code
from bot.domain.errors import GoneError
from bot.domain.job import Job
from bot.domain.reviewing import MAX_STRIKES, Cause, Hold, Review, ReviewRule, Sentence, Strike, Verdict
from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.ui import buttons, cards, explore, work
from bot.ui.buttons import ELSEWHERE
from bot.ui.card import Attachment, Card
from bot.ui.failures import AMBER, GREEN, GREY, RED
from bot.ui.options import Option
from bot.ui.quotas import ChannelChoice
from bot.ui.words import cut, escaped, one_line, order_facts

PREFIX = f"{ELSEWHERE}review:"
APPROVE, DENY, BLOCK = "approve", "deny", "block"
_PRESS = re.compile(rf"{PREFIX}(?P<name>{APPROVE}|{DENY}|{BLOCK}):(?P<job>[0-9]{{1,18}})")
DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
MAX_HOURS = 24 * 365
_HOLDS = (
    (N_("Everybody's pictures"), Hold.ALL.value),
    (N_("Those of members without the trusted role"), Hold.UNTRUSTED.value),
    (N_("Only those that the classifier flags"), Hold.FLAGGED.value),
)


class TextChannelChoice(ChannelChoice):
    """Takes a text channel of a server."""

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """What may be chosen."""
        return [discord.ChannelType.text]


CHANNEL = Option("channel", TextChannelChoice, N_("Where moderators look at pictures first"))
HOLD = Option("hold", str, N_("Whose pictures they look at"), choices=_HOLDS)
TRUSTED = Option("trusted_role", discord.Role, N_("Members with this role need no look, unless all are held"))
STRIKES = Option(
    "strikes_to_block",
    int,
    N_("After so many declined pictures in 30 days a member is blocked for 7 days; 0 never"),
    "",
    lambda _: (0, MAX_STRIKES),
)
MEMBER = Option("member", discord.User, N_("Whom it is about"))
HOURS = Option("hours", int, N_("For how many hours; 7 days if you say nothing"), "", lambda _: (1, MAX_HOURS))
_TITLES = {
    Verdict.HELD: (N_("Look at this first"), AMBER),
    Verdict.APPROVED: (N_("Approved"), GREEN),
    Verdict.DENIED: (N_("Declined"), RED),
    Verdict.WITHDRAWN: (N_("Cancelled: nothing to decide"), GREY),
    Verdict.LAPSED: (N_("Nobody decided in time"), GREY),
}
_CAUSES = {
    Cause.ALL: N_("Every picture is looked at here."),
    Cause.UNTRUSTED: N_("Its asker does not have the trusted role."),
    Cause.FLAGGED: N_("The classifier says: {label}, {percent} %."),
    Cause.UNCHECKED: N_("The classifier could not look at it."),
}
_DECIDED = {
    Verdict.APPROVED: N_("{who} approved it <t:{at}:R>."),
    Verdict.DENIED: N_("{who} declined it <t:{at}:R>."),
    Verdict.WITHDRAWN: N_("It was cancelled <t:{at}:R>."),
    Verdict.LAPSED: N_("Its time was over <t:{at}:R>."),
}
GONE = frozenset({Verdict.WITHDRAWN, Verdict.LAPSED})
"""Of what nobody decided on, the card keeps neither picture nor words."""


def held(job: Job) -> Card:
    """Return the message of a job whose pictures a moderator looks at first."""
    locale = job.spec.locale
    lines = [
        work.subject(job, cards.WAITING_PROMPT),
        say(N_("It is painted. A moderator looks at it first; it is shown here once they approve it."), locale),
    ]
    title = say(N_("A moderator looks at it first"), locale)
    embed = discord.Embed(colour=AMBER, title=title, description="\n".join(lines))
    return Card(embed=embed, view=buttons.waiting(job))


def card(job: Job | None, review: Review, locale: str, files: Sequence[Attachment] = ()) -> Card:
    """Return the card of a review as moderators see it; without its ``job`` only what became of it."""
    title, colour = _TITLES[review.verdict]
    embed = discord.Embed(colour=colour, title=say(title, locale))
    if job is None or review.verdict in GONE:
        embed.description = decided(review, locale)
        return Card(embed=embed)
    place = f"<#{job.address.channel_id}>"
    lines = [
        say(N_("{who} in {place}, {code}"), locale, who=f"<@{job.user}>", place=place, code=code(job.id)),
        work.subject(job, cards.FINISHED_PROMPT),
        *explore.parameters(job.spec.sheet),
        f"-# {_cause(review, locale)}",
    ]
    if review.verdict is not Verdict.HELD:
        lines.append(decided(review, locale))
    embed.description = cut("\n".join(lines), DESCRIPTION)
    facts = cards.came_to(job, job.result) if job.result and not job.spec.sheet else _asked(job, locale)
    embed.set_footer(text=cut(facts, 2048))
    return Card(embed=embed, view=_row(review, locale), files=tuple(files))


def decided(review: Review, locale: str) -> str:
    """Return what was decided, by whom and when."""
    if review.verdict is Verdict.HELD:
        return say(N_("Nobody has decided yet."), locale)
    return say(_DECIDED[review.verdict], locale, who=f"<@{review.by}>", at=int(review.at))


def sentenced(user_id: int, sentence: Sentence, rule: ReviewRule, locale: str) -> discord.Embed:
    """Return what a declined picture means for its asker, for the moderator who declined it."""
    lines = [
        say_many(
            N_("{who} has {count} strike in 30 days."),
            N_("{who} has {count} strikes in 30 days."),
            sentence.strikes,
            locale,
            who=f"<@{user_id}>",
        )
    ]
    if sentence.blocked_until is not None:
        lines.append(say(N_("They are blocked until <t:{until}:f>."), locale, until=int(sentence.blocked_until)))
    elif rule.strikes_to_block:
        lines.append(say(N_("At {count} they are blocked for 7 days."), locale, count=rule.strikes_to_block))
    return discord.Embed(colour=GREY, title=say(N_("Declined"), locale), description="\n".join(lines))


def pressed(custom_id: str) -> tuple[str, int]:
    """Return which button of a card was pressed, and the job; raises ``GoneError``."""
    found = _PRESS.fullmatch(custom_id)
    if found is None:
        raise GoneError(N_("What this belongs to is no longer kept."), N_("See what waits: /review show"))
    return found["name"], int(found["job"])


def rule(
    of: ReviewRule, waiting: Sequence[Review], troubles: Sequence[str], locale: str, *, classifies: bool
) -> discord.Embed:
    """Return what a server has held; ``troubles`` are marked texts on what is in the way of it."""
    lines = []
    if of.channel is None:
        lines.append(
            say(N_("No picture is held: there is no review channel. Choose one: /review channel"), locale)
        )
    else:
        words = next(words for words, value in _HOLDS if value == of.hold.value)
        place = f"<#{of.channel}>"
        lines.append(say(N_("Looked at first in {place}: {whose}"), locale, place=place, whose=say(words, locale)))
        if of.trusted_role is not None:
            lines.append(say(N_("Trusted role: {role}"), locale, role=f"<@&{of.trusted_role}>"))
        if of.strikes_to_block:
            words = N_("Declined pictures in 30 days that block a member for 7 days: {count}")
            lines.append(say(words, locale, count=of.strikes_to_block))
        else:
            lines.append(say(N_("Declined pictures block nobody."), locale))
    words = (
        N_("A classifier looks at every picture.") if classifies else N_("No classifier is set up by the host.")
    )
    lines.append(say(words, locale))
    if waiting:
        count = say_many(N_("{count} picture waits"), N_("{count} pictures wait"), len(waiting), locale)
        lines.append(say(N_("{count}, the oldest since <t:{at}:R>."), locale, count=count, at=int(waiting[0].at)))
    lines += [f"⚠️ {say(trouble, locale)}" for trouble in troubles]
    return discord.Embed(title=say(N_("Review"), locale), description=cut("\n".join(lines), DESCRIPTION))


def strikes(user_id: int, given: Sequence[Strike], blocked_until: float | None, locale: str) -> discord.Embed:
    """Return a member's strikes, and until when they are blocked."""
    lines = [say(N_("Member: {who}"), locale, who=f"<@{user_id}>")]
    if blocked_until is not None:
        lines.append(say(N_("They are blocked until <t:{until}:f>."), locale, until=int(blocked_until)))
    else:
        lines.append(say(N_("They are not blocked."), locale))
    lines += [
        say(
            N_("{code}, declined by {who} <t:{at}:R>"), locale, code=code(s.job_id), who=f"<@{s.by}>", at=int(s.at)
        )
        for s in given
    ]
    if not given:
        lines.append(say(N_("No picture of theirs was declined in the last 30 days."), locale))
    return discord.Embed(title=say(N_("Strikes"), locale), description=cut("\n".join(lines), DESCRIPTION))


def _cause(review: Review, locale: str) -> str:
    label = escaped(cut(one_line(review.label), 60))
    return say(_CAUSES[review.cause], locale, label=label, percent=round(review.score * 100))


def _asked(job: Job, locale: str) -> str:
    return work.order_facts(job.spec.work, locale) if job.spec.work else order_facts(job.spec.request, locale)


def _row(review: Review, locale: str) -> discord.ui.View | None:
    if review.verdict is not Verdict.HELD:
        return None
    view = discord.ui.View(timeout=None)
    for name, words, style in (
        (APPROVE, N_("Approve"), discord.ButtonStyle.success),
        (DENY, N_("Deny"), discord.ButtonStyle.danger),
        (BLOCK, N_("Deny and block"), discord.ButtonStyle.danger),
    ):
        view.add_item(
            discord.ui.Button(
                style=style, label=say(words, locale)[:80], custom_id=f"{PREFIX}{name}:{review.job_id}", row=0
            )
        )
    # Presses are found by their id, so discord.py must not keep it.
    view.stop()
    return view
