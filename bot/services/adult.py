"""The one rule for adult pictures: what asks for one, and whether it may be asked for there."""

from collections.abc import Iterator

from bot.domain.adult import Adult, forbidden, misplaced
from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.errors import LimitError, RequestError
from bot.domain.request import PaintRequest
from bot.domain.rules import adult_refusal, matches
from bot.domain.text import N_
from bot.prompting import loras
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.catalogue import Catalogue
from bot.services.preferences import Effective, Preferences, Scope
from bot.services.wording import Wording

_SHOWN = 100
"""Characters of what asks for it that are repeated."""
MAX_PATTERNS = 100
"""Most names and patterns that a server marks."""


class AdultRule:
    """Tells of orders whether they ask for adult pictures."""

    def __init__(self, wording: Wording, catalogue: Catalogue) -> None:
        self._wording = wording
        self._catalogue = catalogue

    async def asks(self, asker: Asker, effective: Effective, request: PaintRequest, template: str | None) -> bool:
        """Return whether what comes of an order has to stay where adult pictures may be.

        So it is with all that is painted in age-restricted channels of servers that allow adult pictures there.
        Raises ``DeniedError`` where none may be asked for, and everywhere for one with children in it.
        """
        wish = await self._wording.wish(asker, request, template=template)
        part = wish.adult or next(self._models(effective, request), None)
        if wish.forbidden or (part is not None and wish.child):
            raise forbidden()
        if part is not None and not effective.adult:
            raise adult_refusal(" ".join(part.split())[:_SHOWN])
        return part is not None or (effective.adult and asker.guild_id is not None)

    def _models(self, effective: Effective, request: PaintRequest) -> Iterator[str]:
        """Yield what of an order paints adult pictures; an open choice may fall on what is loaded."""
        models = {request.model} if request.model else self._catalogue.loaded_models()
        named = [*models, *(lora.name for lora in (*request.loras, *loras.in_prompt(request.prompt)))]
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
        return Adult(str(kept.get("adult", Adult.OFF))), tuple(str(kept.get("adult_models", "")).splitlines())

    async def allow(self, asker: Asker, where: Adult) -> None:
        """Allow adult pictures there."""
        await self._set(asker, await self._managed(asker), adult=where)

    async def mark(self, asker: Asker, pattern: str) -> None:
        """Mark models and LoRAs, by a name or a pattern, as painting adult pictures."""
        guild_id = await self._managed(asker)
        _, marked = await self.of(guild_id)
        marked = tuple(dict.fromkeys((*marked, " ".join(pattern.split()))))
        if len(marked) > MAX_PATTERNS:
            raise LimitError(
                N_("That are more than {max} names."), N_("Use * for several at once."), max=MAX_PATTERNS
            )
        await self._set(asker, guild_id, adult_models="\n".join(marked))

    async def unmark(self, asker: Asker, pattern: str) -> None:
        """Take a mark back; raises ``RequestError`` if there is none."""
        guild_id = await self._managed(asker)
        _, marked = await self.of(guild_id)
        left = tuple(each for each in marked if each.casefold() != " ".join(pattern.split()).casefold())
        if left == marked:
            raise RequestError(
                N_("“{name}” is not marked here."), N_("See what is: /adult show"), name=pattern[:_SHOWN]
            )
        await self._set(asker, guild_id, adult_models="\n".join(left) or None)

    async def _set(self, asker: Asker, guild_id: int, **values: object) -> None:
        former = await self._preferences.values(Scope.SERVER, guild_id)
        kept = await self._preferences.set(Scope.SERVER, guild_id, **values)
        await self._auditing.record(asker, differences(former, kept))

    async def _managed(self, asker: Asker) -> int:
        return await self._authority.check(
            asker,
            N_("Only members with Manage Server may say where adult pictures are allowed."),
            N_("Use it in a server that you manage."),
        )
