"""What one order may take here: refused before it is queued, with the nearest order that may."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from bot.domain import load
from bot.domain.errors import LimitError
from bot.domain.quotas import Allowance
from bot.domain.request import Order, PaintRequest
from bot.domain.text import N_
from bot.services.drafts import Draft
from bot.services.preferences import Preferences
from bot.services.quotas import Quotas


class CapError(LimitError):
    """An order costs more than is allowed; ``lighter`` is the nearest that does not, if there is one."""

    lighter: tuple[Draft, ...] = ()


class Allowing:
    """Holds orders to the cap on their cost, and to quotas."""

    def __init__(self, preferences: Preferences, quotas: Quotas) -> None:
        self._preferences = preferences
        self._quotas = quotas

    async def check(self, drafts: Sequence[Draft]) -> None:
        """Raise ``CapError`` or ``QuotaError`` if the drafts, which are one order, take too much together."""
        await self._check_cap(drafts)
        await self._quotas.check(drafts)

    async def held_to(self, drafts: Sequence[Draft]) -> tuple[Allowance, ...]:
        """Return the quotas that the drafts have to fit into while they are queued; raises ``CapError``."""
        await self._check_cap(drafts)
        return await self._quotas.held_to(drafts[0].asker)

    async def _check_cap(self, drafts: Sequence[Draft]) -> None:
        asker = drafts[0].asker
        most = (await self._preferences.effective(asker)).limits.max_cost
        if not load.fits((draft.spec.order for draft in drafts), most):
            error = CapError(
                N_("This would cost {cost} standard pictures, and an order here may cost {max}."),
                N_("A standard picture is 30 steps at 1024×1024. Choose fewer steps, or fewer, smaller pictures."),
                cost=_plain(ceil(cost_of(drafts) * 100) / 100),
                max=_plain(most),
            )
            error.lighter = _lighter(drafts, most)
            raise error


def cost_of(drafts: Sequence[Draft]) -> float:
    """Return what the drafts cost together, in standard images, all models counted alike."""
    return load.images(draft.spec.order for draft in drafts)


def _plain(value: float) -> float:
    """Return a whole number as one, so that it is shown without a point."""
    return int(value) if value == int(value) else value


def _lighter(drafts: Sequence[Draft], most: float) -> tuple[Draft, ...]:
    first, sheet = drafts[0], drafts[0].spec.sheet
    if sheet is None:
        order = load.lighter(first.spec.order, most)
        return () if order is None else (_of_order(first, order),)
    width = len(sheet.columns)
    part = load.grid(width, len(sheet.rows), [draft.spec.order for draft in drafts], most)
    if part is None:
        return ()
    across, down = part
    kept = [draft for at, draft in enumerate(drafts) if at % width < across and at // width < down]
    cut = replace(sheet, columns=sheet.columns[:across], rows=sheet.rows[:down])
    return tuple(
        replace(draft, spec=replace(draft.spec, sheet=replace(cut, index=index)))
        for index, draft in enumerate(kept)
    )


def _of_order(draft: Draft, order: Order) -> Draft:
    if isinstance(order, PaintRequest):
        return replace(draft, spec=replace(draft.spec, request=order))
    return replace(draft, spec=replace(draft.spec, work=order))
