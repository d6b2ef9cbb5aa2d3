"""What an option's autocomplete offers to whom, from memory."""

from bot.domain import rules
from bot.domain.asker import Asker
from bot.domain.capability import Feature, Listing
from bot.domain.searching import matches
from bot.domain.snippets import Kind
from bot.imaging import areas
from bot.services.catalogue import Catalogue
from bot.services.preferences import Preferences
from bot.services.snippets import Snippets

_KEPT = {Listing.PRESETS: Kind.PRESET, Listing.OWN_STYLES: Kind.STYLE, Listing.WILDCARDS: Kind.WILDCARD}


class Suggestions:
    """The backends' lists as far as a server allows them, and what servers and persons keep by name."""

    def __init__(self, catalogue: Catalogue, preferences: Preferences, snippets: Snippets) -> None:
        self._catalogue = catalogue
        self._preferences = preferences
        self._snippets = snippets

    async def suggest(self, asker: Asker, listing: Listing, typed: str) -> list[str]:
        """Return at most 25 names for what was typed so far, the likeliest first."""
        if listing in _KEPT:
            return await self._snippets.suggest(asker, _KEPT[listing], typed)
        if listing is Listing.STYLES:
            own = await self._snippets.names(asker, Kind.STYLE)
            return matches(typed, tuple(dict.fromkeys((*own, *self._catalogue.names(listing)))))
        if listing is Listing.AREAS:
            return areas.suggest(typed) if self._catalogue.offers(Feature.INPAINT) else []
        if listing in {Listing.MODELS, Listing.LORAS}:
            return matches(typed, await self._allowed(asker, listing))
        if listing is Listing.EVERY_MODEL:
            return self._catalogue.suggest(Listing.MODELS, typed)
        return self._catalogue.suggest(listing, typed)

    async def _allowed(self, asker: Asker, listing: Listing) -> tuple[str, ...]:
        effective = await self._preferences.effective(asker)
        names = self._catalogue.names(listing)
        if listing is Listing.MODELS:
            return effective.rules.among(names)
        adult = effective.rules.adult
        return tuple(name for name in names if not rules.matches(adult, name)) if adult else names
