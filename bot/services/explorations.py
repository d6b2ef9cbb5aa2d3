"""Explorations: the same picture over two parameters, one ordinary job for each cell of a grid."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.asker import Asker
from bot.domain.errors import GoneError, LimitError
from bot.domain.job import Address, InteractionToken, Job, Origin, Sheet
from bot.domain.options import Options
from bot.domain.permits import Command
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.drafts import Draft
from bot.services.orders import Orders
from bot.services.preferences import Preferences

MAX_CELLS = 25
"""Most pictures in one grid: as many as the menu under it has choices (Discord docs, Select Menu Structure)."""
SEED = "seed"
"""The parameter that is the same in all cells unless it is explored itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be explored: two parameters by name, their values as people read them, and every cell's order.

    ``cells`` are prompts and what was typed for them, row by row.
    """

    across: str
    columns: tuple[str, ...]
    down: str
    rows: tuple[str, ...]
    cells: tuple[tuple[str, Options], ...]

    def of(self, cells: tuple[tuple[str, Options], ...]) -> "Plan":
        """Return the same with other ``cells``."""
        return replace(self, cells=cells)


class Explorations:
    """Drafts all cells of an exploration, and queues them together."""

    def __init__(
        self, jobs: Jobs, orders: Orders, preferences: Preferences, *, draw_seed: Callable[[], int]
    ) -> None:
        self._jobs = jobs
        self._orders = orders
        self._preferences = preferences
        self.draw_seed = draw_seed

    async def draft(
        self,
        asker: Asker,
        plan: Plan,
        *,
        init_image: str | None = None,
        preset: str | None = None,
        like: Job | None = None,
        private: bool = False,
    ) -> list[Draft]:
        """Return the orders of all cells, of one picture each and of the same seed where none was chosen.

        Raises what ``Orders.draft`` does, ``LimitError`` for too many cells and ``BusyError`` where there is no
        room for all of them.
        """
        await self._check_room(asker, len(plan.cells))
        sheet = Sheet("", 0, plan.across, plan.columns, plan.down, plan.rows)
        drafts, seed = [], self.draw_seed()
        for index, (prompt, options) in enumerate(plan.cells):
            chosen = replace(options, count=1, seed=seed if options.seed is None else options.seed)
            draft = await self._orders.draft(
                asker,
                prompt,
                chosen,
                origin=Origin.EXPLORE,
                init_image=init_image,
                preset=preset,
                like=like,
                private=private,
            )
            drafts.append(_placed(draft, replace(sheet, index=index)))
        # One message shows them all.
        adult = any(draft.spec.adult for draft in drafts)
        return [replace(draft, spec=replace(draft.spec, adult=adult)) for draft in drafts]

    async def again(self, asker: Asker, job: Job) -> list[Draft]:
        """Return the orders of the exploration that ``job`` is a cell of, with new seeds: equal ones stay equal.

        Raises ``GoneError`` where it is no cell, and what ``Orders.again`` does.
        """
        if job.spec.sheet is None:
            raise GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /explore"))
        sheet = job.spec.sheet
        cells = await self._jobs.sheet(sheet.key)
        if len(cells) < len(sheet.columns) * len(sheet.rows):
            # A grid with holes would never be done.
            raise GoneError(N_("Parts of this grid are no longer kept."), N_("Use the command again: /explore"))
        await self._check_room(asker, len(cells))
        anew = {seed: self.draw_seed() for seed in dict.fromkeys(cell.spec.request.seed for cell in cells)}
        drafts = []
        for cell in cells:
            draft = await self._orders.again(asker, cell, same_seed=True)
            request = replace(draft.spec.request, seed=anew[cell.spec.request.seed])
            spec = replace(draft.spec, request=request, origin=Origin.EXPLORE, parent=cells[0].id)
            sheet = cell.spec.sheet or job.spec.sheet
            draft = replace(draft, spec=spec, private=job.address.ephemeral)
            drafts.append(_placed(draft, _reseeded(sheet, anew)))
        return drafts

    async def queue(
        self,
        drafts: Sequence[Draft],
        *,
        key: str,
        address: Address,
        token: InteractionToken | None = None,
        intake: int | None = None,
    ) -> list[Job]:
        """Put all cells in the queue, or none; ``key`` begins the keys of their jobs."""
        keyed = {}
        for number, draft in enumerate(drafts):
            sheet = draft.spec.sheet
            keyed[f"{key}{number}"] = draft if sheet is None else _placed(draft, replace(sheet, key=key))
        return await self._orders.queue_all(keyed, address, token, intake)

    async def _check_room(self, asker: Asker, cells: int) -> None:
        if cells > MAX_CELLS:
            raise LimitError(
                N_("That would be {count} pictures."),
                N_("Choose fewer values: at most {max} pictures fit in one grid."),
                count=cells,
                max=MAX_CELLS,
            )
        effective = await self._preferences.effective(asker)
        effective.grant.check(Command.EXPLORE)
        await self._jobs.check_room(asker.payer, asker.user_id, effective.limits, count=cells)


def _placed(draft: Draft, sheet: Sheet) -> Draft:
    return replace(draft, spec=replace(draft.spec, sheet=sheet))


def _reseeded(sheet: Sheet, anew: Mapping[int, int]) -> Sheet:
    """Return the sheet with its seeds renamed, if they are what it explores."""
    names = {str(seed): str(new) for seed, new in anew.items()}
    columns = tuple(names.get(name, name) for name in sheet.columns) if sheet.across == SEED else sheet.columns
    rows = tuple(names.get(name, name) for name in sheet.rows) if sheet.down == SEED else sheet.rows
    return replace(sheet, columns=columns, rows=rows)
