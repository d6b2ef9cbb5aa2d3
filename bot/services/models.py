"""The models there are, what is known of each, and which a server allows."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.domain import families
from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.capability import Listing, ModelFacts
from bot.domain.cost import UNIT
from bot.domain.errors import BackendError, LimitError, RequestError
from bot.domain.ports import Blobs, Clock
from bot.domain.rules import Rules, bare
from bot.domain.rules import matches as matches_pattern
from bot.domain.searching import matches
from bot.domain.snippets import Kind, ModelCard
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.catalogue import Catalogue
from bot.services.preferences import RULE_NAMES, Preferences, Scope, Values, rules_of
from bot.services.snippets import Snippets
from bot.services.upkeep import Upkeep

REFRESH_S = 30.0
"""A second refresh within this many seconds finds the lists fresh: looking into folders costs a server time."""
MAX_PATTERNS = 100
"""Most names and patterns that a server's rules hold."""
MAX_PATTERN = 200
"""Characters in a name or pattern."""


@dataclass(frozen=True, slots=True)
class Backing:
    """One backend that has a model; ``pace`` is standard pictures a minute in a slot, once it is learnt."""

    backend: str
    loaded: bool
    pace: float | None


@dataclass(frozen=True, slots=True)
class About:
    """All that is known of a model or a LoRA: by the backends, by this server's admins, by experience."""

    name: str
    facts: ModelFacts
    card: ModelCard | None
    backings: tuple[Backing, ...]
    allowed: bool
    sample: bytes | None = None


class Models:
    """Answers ``/model`` and changes what a server says of its models."""

    def __init__(
        self,
        catalogue: Catalogue,
        preferences: Preferences,
        authority: Authority,
        auditing: Auditing,
        snippets: Snippets,
        jobs: Jobs,
        upkeep: Upkeep,
        blobs: Blobs,
        *,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._preferences = preferences
        self._authority = authority
        self._auditing = auditing
        self._snippets = snippets
        self._jobs = jobs
        self._upkeep = upkeep
        self._blobs = blobs
        self._clock = clock
        self._refreshing = asyncio.Lock()
        self._refreshed_at = 0.0

    async def names(self, asker: Asker, words: str = "") -> list[str]:
        """Return the models that may be used there, the default first; with ``words`` those like them."""
        effective = await self._preferences.effective(asker)
        names = effective.rules.among(self._catalogue.names(Listing.MODELS))
        if words.strip():
            return matches(words, names, most=len(names))
        return sorted(names, key=lambda name: name != effective.options.model)

    async def about(self, asker: Asker, name: str) -> About:
        """Return what is known of a model, or a LoRA, by its name; raises ``RequestError`` with the nearest."""
        listing, found = self._found(name)
        facts = ModelFacts()
        backings = []
        paces = await self._jobs.paces()
        for backend in self._catalogue.names(Listing.BACKENDS):
            known = self._catalogue.known(backend)
            if known is None or found not in known.listings.get(listing, ()):
                continue
            told = (known.models if listing is Listing.MODELS else known.loras).get(found, ModelFacts())
            facts = _joined(facts, told)
            pace = paces.get(backend, {}).get(found)
            loaded = self._catalogue.loaded(backend) == found
            backings.append(Backing(backend, loaded, None if pace is None else pace * 60 / UNIT))
        card = await self._snippets.card(asker, found)
        effective = await self._preferences.effective(asker)
        hidden = matches_pattern(effective.rules.adult, found)
        return About(
            found,
            facts if facts.family else replace(facts, family=families.family(found).word),
            card,
            tuple(backings),
            listing is not Listing.MODELS or effective.rules.allows(found),
            await self._blobs.get(card.sample) if card is not None and card.sample and not hidden else None,
        )

    async def tell(self, asker: Asker, card: ModelCard, sample: bytes | None = None) -> str:
        """Keep what an admin tells of a model, over what was told before, and return its listed name."""
        _, found = self._found(card.name)
        former = await self._snippets.card(asker, found) or ModelCard(found)
        kept = ModelCard(
            found,
            card.trigger or former.trigger,
            card.note or former.note,
            former.sample if sample is None else await self._blobs.put(sample),
        )
        await self._snippets.keep(asker, kept, server=True)
        return found

    async def forget(self, asker: Asker, name: str) -> None:
        """Forget what was told of a model."""
        await self._snippets.forget(asker, Kind.MODEL, self._found(name)[1], server=True)

    async def allow(self, asker: Asker, pattern: str | None) -> Rules:
        """Allow models by a name or a pattern, or all of them, and return what holds."""
        return await self._change(asker, lambda rules: rules.allowing(pattern) if pattern else Rules())

    async def deny(self, asker: Asker, pattern: str) -> Rules:
        """Deny models by a name or a pattern and return what holds."""
        return await self._change(asker, lambda rules: rules.denying(pattern))

    async def only(self, asker: Asker, pattern: str) -> Rules:
        """Allow nothing but one name or pattern (more by ``allow``) and return what holds."""
        return await self._change(asker, lambda _: Rules((pattern,)))

    async def refresh(self, asker: Asker) -> tuple[str, ...]:
        """Have every backend look for new files and return those that did not answer."""
        await self.check_refreshes(asker)
        names = self._catalogue.names(Listing.BACKENDS)
        async with self._refreshing:
            if self._clock() - self._refreshed_at < REFRESH_S:
                return ()
            answers = await asyncio.gather(*map(self._upkeep.refresh, names), return_exceptions=True)
            self._refreshed_at = self._clock()
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, BackendError):
                raise answer
        return tuple(name for name, answer in zip(names, answers, strict=True) if isinstance(answer, BackendError))

    async def check_manages(self, asker: Asker) -> int:
        """Return the server's id; raises ``DeniedError`` for those who do not manage it."""
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use /model use for your own default."))
        return await self._authority.check(
            asker,
            N_("Only members with Manage Server may change what this server says of its models."),
            N_("Use /model use for your own default."),
        )

    async def check_refreshes(self, asker: Asker) -> None:
        """Raise ``DeniedError`` for those who manage no server: looking into folders costs the painters time."""
        await self._authority.check(
            asker,
            N_("Only members with Manage Server may have the backends look for new files."),
            N_("Ask one of them, in a server; or see what there is: /model list"),
        )

    async def check_allowed(self, asker: Asker, model: str | None) -> None:
        """Raise ``DeniedError`` for a model that this server does not allow."""
        effective = await self._preferences.effective(asker)
        effective.rules.check(model)

    async def _change(self, asker: Asker, change: Callable[[Rules], Rules]) -> Rules:
        guild_id = await self.check_manages(asker)

        async def changed(kept: Values) -> Values:
            rules = change(rules_of(kept))
            check_rules(rules, self._catalogue.names(Listing.MODELS))
            return {
                "models_allowed": "\n".join(rules.allowed) or None,
                "models_denied": "\n".join(rules.denied) or None,
            }

        former, rules = map(rules_of, await self._preferences.change(Scope.SERVER, guild_id, changed))
        await self._auditing.record(asker, differences(_listed(former), _listed(rules)))
        return rules

    def _found(self, name: str) -> tuple[Listing, str]:
        """Return the listed name that was meant: of a model, or else of a LoRA."""
        for spelt in (str.strip, str.casefold, _plain):
            for listing in (Listing.MODELS, Listing.LORAS):
                wanted = spelt(name.strip())
                found = next((each for each in self._catalogue.names(listing) if spelt(each) == wanted), None)
                if found is not None:
                    return listing, found
        self._catalogue.check_name(Listing.MODELS, "model", name)
        raise RequestError(N_("No backend has told of any model yet."), N_("Try again in a moment."))


def check_rules(rules: Rules, names: tuple[str, ...]) -> None:
    """Raise ``LimitError`` for too many or too long rules, ``RequestError`` if they allow none of ``names``."""
    if long := next((each for each in (*rules.allowed, *rules.denied) if len(each) > MAX_PATTERN), None):
        raise LimitError(
            N_("“{word}” is too long."), N_("Use at most {max} characters."), word=long[:50], max=MAX_PATTERN
        )
    if len(rules.allowed) + len(rules.denied) > MAX_PATTERNS:
        raise LimitError(N_("That are more than {max} names."), N_("Use * for several at once."), max=MAX_PATTERNS)
    if names and not rules.among(names):
        raise RequestError(N_("That would leave no model here."), N_("Allow another one first: /model allow"))


def _listed(rules: Rules) -> dict[str, object]:
    lists = zip(RULE_NAMES, (rules.allowed, rules.denied), strict=True)
    return {name: ", ".join(patterns) or None for name, patterns in lists}


def _plain(name: str) -> str:
    return bare(name).casefold()


def _joined(one: ModelFacts, other: ModelFacts) -> ModelFacts:
    """Return what either backend tells."""
    return ModelFacts(one.hash or other.hash, one.family or other.family, one.triggers or other.triggers)
