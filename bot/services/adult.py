"""The one rule for adult pictures: what asks for one, and whether it may be asked for there."""

from collections.abc import Callable, Iterable, Iterator

from bot.domain.adult import Adult, forbidden, misplaced
from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.errors import LimitError, RequestError
from bot.domain.job import JobSpec
from bot.domain.request import PaintRequest
from bot.domain.rules import adult_refusal, matches
from bot.domain.text import N_
from bot.prompting import loras
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.catalogue import Catalogue
from bot.services.preferences import Change, Effective, Preferences, Scope, Values
from bot.services.wording import Wording

_SHOWN = 100
"""Characters of what asks for it that are repeated."""
MAX_PATTERNS = 100
"""Most names and patterns that a server marks."""


class AdultRule:
    """Tells of orders whether they ask for adult pictures.

    ``classifies``: a classifier looks at what is painted where no adult pictures may be.
    """

    def __init__(self, wording: Wording, catalogue: Catalogue, *, classifies: bool) -> None:
        self._wording = wording
        self._catalogue = catalogue
        self._classifies = classifies

    async def asks(
        self,
        asker: Asker,
        effective: Effective,
        request: PaintRequest,
        template: str | None,
        basis: Iterable[JobSpec] = (),
    ) -> bool:
        """Return whether what comes of an order has to stay where adult pictures may be.

        So it is with all that is painted where ``marks`` says so. Raises ``DeniedError`` where none may be asked
        for, and everywhere for one with children in it, be it only with what ``basis``, the orders that it is
        made from, asked for.
        """
        wish = await self._wording.wish(asker, request, template=template)
        part = wish.adult or next(self._models(effective, request), None)
        adult, child = part is not None, wish.child
        for spec in basis:
            former = await self._wording.wish(asker, spec.request, template=spec.template)
            # What is innocent may have children in it, and is marked too where all is that is painted.
            adult = adult or former.adult is not None or (spec.adult and not former.child)
            child = child or former.child
        if wish.forbidden or (adult and child):
            raise forbidden()
        if part is not None and not effective.adult:
            raise adult_refusal(" ".join(part.split())[:_SHOWN])
        return part is not None or self.marks(asker, effective)

    def marks(self, asker: Asker, effective: Effective) -> bool:
        """Return whether all that is painted there has to stay where adult pictures may be.

        So it is in age-restricted channels of servers that allow adult pictures there, and elsewhere where those
        may be if there is a classifier: it looks at nothing there, so nothing of it may be shown where it does.
        """
        return effective.adult and (asker.guild_id is not None or self._classifies)

    def _models(self, effective: Effective, request: PaintRequest) -> Iterator[str]:
        """Yield what of an order paints adult pictures; an open choice may fall on what is loaded."""
        models = {request.model} if request.model else self._catalogue.loaded_models()
        prompts = (request.prompt, *(detail.prompt for detail in request.details))
        tagged = (lora for prompt in prompts for lora in loras.in_prompt(prompt))
        named = [*models, *(lora.name for lora in (*request.loras, *tagged))]
        named += [request.refiner.model] if request.refiner else []
        return (name for name in named if matches(effective.adult_models, name))


def check_place(effective: Effective, *, adult: bool) -> None:
    """Raise ``DeniedError`` for a picture that may be ``adult`` where none may be."""
    if adult and not effective.adult:
        raise misplaced()


class AdultSettings:
    """Keeps what a server says of adult pictures, for those who manage it."""

    def __init__(self, preferences: Preferences, authority: Authority, auditing: Auditing) -> None:
        self._preferences = preferences
        self._authority = authority
        self._auditing = auditing

    async def of(self, guild_id: int) -> tuple[Adult, tuple[str, ...]]:
        """Return where a server allows adult pictures, and what it marked as painting them."""
        kept = await self._preferences.values(Scope.SERVER, guild_id)
        return Adult(str(kept.get("adult", Adult.OFF))), _marked(kept)

    async def allow(self, asker: Asker, where: Adult) -> None:
        """Allow adult pictures there."""

        async def changed(_: Values) -> Values:
            return {"adult": where}

        await self._change(asker, changed)

    async def mark(self, asker: Asker, pattern: str) -> None:
        """Mark models and LoRAs, by a name or a pattern, as painting adult pictures."""

        def marking(marked: tuple[str, ...]) -> tuple[str, ...]:
            marked = tuple(dict.fromkeys((*marked, " ".join(pattern.split()))))
            if len(marked) > MAX_PATTERNS:
                raise LimitError(
                    N_("That are more than {max} names."), N_("Use * for several at once."), max=MAX_PATTERNS
                )
            return marked

        await self._mark(asker, marking)

    async def unmark(self, asker: Asker, pattern: str) -> None:
        """Take a mark back; raises ``RequestError`` if there is none."""

        def unmarking(marked: tuple[str, ...]) -> tuple[str, ...]:
            left = tuple(each for each in marked if each.casefold() != " ".join(pattern.split()).casefold())
            if left == marked:
                raise RequestError(
                    N_("“{name}” is not marked here."), N_("See what is: /adult show"), name=pattern[:_SHOWN]
                )
            return left

        await self._mark(asker, unmarking)

    async def _mark(self, asker: Asker, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        async def changed(kept: Values) -> Values:
            return {"adult_models": "\n".join(change(_marked(kept))) or None}

        await self._change(asker, changed)

    async def _change(self, asker: Asker, change: Change) -> None:
        guild_id = await self._managed(asker)
        former, kept = await self._preferences.change(Scope.SERVER, guild_id, change)
        await self._auditing.record(asker, differences(former, kept))

    async def _managed(self, asker: Asker) -> int:
        return await self._authority.check(
            asker,
            N_("Only members with Manage Server may say where adult pictures are allowed."),
            N_("Use it in a server that you manage."),
        )


def _marked(kept: Values) -> tuple[str, ...]:
    return tuple(str(kept.get("adult_models", "")).splitlines())
