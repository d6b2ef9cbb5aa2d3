"""Decisions on held results: the review, its jobs, the strike and the block change together or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.domain.errors import Failure
from bot.domain.job import Job, State
from bot.domain.ports import Clock
from bot.domain.reviewing import BLOCK_S, Review, Sentence, Strike, Verdict
from bot.jobs import statements
from bot.jobs.engine import JobEngine
from bot.jobs.ledger import Ledger
from bot.storage import reviews as rows
from bot.storage.database import Database
from bot.storage.records import fetch_job, read_job

_LIVE = frozenset({State.QUEUED, State.RUNNING})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a moderator's word came to: the review as it is now, and the jobs that changed by it.

    ``won``: it was this word that counted; else ``review`` says what had been decided before: nothing, while a
    picture of it is painted again.
    """

    review: Review
    jobs: tuple[Job, ...] = ()
    won: bool = True
    sentence: Sentence | None = None


class Reviews:
    """Keeps what moderators look at first, with strikes and blocks."""

    def __init__(self, database: Database, engine: JobEngine, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ledger = Ledger(engine, clock, max_crashes=1)

    async def hold(self, review: Review) -> Review:
        """Note that a result is held; return what is known of it, which may be decided already."""
        return await self._database.write(lambda tx: rows.keep(tx, review))

    async def unfinished(self) -> list[Review]:
        """Return what is held, and what was decided and its card does not say."""
        return await self._database.read(rows.unfinished)

    async def get(self, job_id: int) -> Review | None:
        """Return what is known of a result that is or was held."""
        return await self._database.read(lambda tx: rows.get(tx, job_id))

    async def approve(self, job_id: int, by: int) -> Decision | None:
        """Let a held result be delivered; ``None`` if nothing is known of it."""

        def work(tx: Connection) -> Decision | None:
            decided, painted = self._decide(tx, job_id, Verdict.APPROVED, by)
            if decided is None:
                return self._late(tx, job_id)
            return Decision(decided, tuple(painted), won=bool(painted))

        return await self._database.write(work)

    async def deny(
        self, job_id: int, by: int, failure: Failure, *, strikes_to_block: int, block: bool
    ) -> Decision | None:
        """End a held result by ``failure``, charged, with a strike; ``None`` if nothing is known of it.

        With ``strikes_to_block`` strikes that count (0: never), or by the word ``block``, its asker is blocked.
        """

        def work(tx: Connection) -> Decision | None:
            decided, painted = self._decide(tx, job_id, Verdict.DENIED, by)
            if decided is None:
                return self._late(tx, job_id)
            if not painted:
                return Decision(decided, won=False)
            ended = self._withhold(tx, painted, failure, charged=True)
            user, now = painted[0].user, decided.at
            strikes = rows.strike(tx, Strike(decided.guild_id, user, job_id, now, by), decided.cause)
            until = None
            if block or 0 < strikes_to_block <= strikes:
                until = now + BLOCK_S
                rows.block(tx, decided.guild_id, user, until)
            return Decision(decided, tuple(ended), sentence=Sentence(strikes, until))

        return await self._database.write(work)

    async def withdraw(self, job_id: int) -> None:
        """Note that nobody waits for a held result any more."""
        await self._database.write(lambda tx: rows.decide(tx, job_id, Verdict.WITHDRAWN, None, self._clock()))

    async def lapse(self, older_than_s: float, failure: Failure) -> list[Decision]:
        """End, uncharged, what nobody decided on in so long."""

        def work(tx: Connection) -> list[Decision]:
            lapsed = []
            for job_id in rows.stale(tx, self._clock() - older_than_s):
                decided, painted = self._decide(tx, job_id, Verdict.LAPSED, None)
                if decided is not None:
                    ended = self._withhold(tx, painted, failure, charged=False)
                    lapsed.append(Decision(decided, tuple(ended)))
            return lapsed

        return await self._database.write(work)

    async def withhold(self, job_id: int, failure: Failure, *, charged: bool) -> list[Job]:
        """End a painted job, or all of its sheet, that is not to be shown at all; return what ended."""

        def work(tx: Connection) -> list[Job]:
            return self._withhold(tx, _painted(self._cells(tx, job_id)), failure, charged=charged)

        return await self._database.write(work)

    async def post(self, job_id: int, channel_id: int, message_id: int) -> None:
        """Note where the card is that moderators see."""
        await self._database.write(lambda tx: rows.post(tx, job_id, channel_id, message_id))

    async def show(self, job_id: int, shown: Verdict | None) -> None:
        """Note what that card says, or that it is gone."""
        await self._database.write(lambda tx: rows.show(tx, job_id, shown))

    async def strikes(self, guild_id: int, user_id: int) -> list[Strike]:
        """Return a member's strikes that count, the latest first."""
        return await self._database.read(lambda tx: rows.strikes_of(tx, guild_id, user_id, self._clock()))

    async def pardon(self, guild_id: int, user_id: int) -> int:
        """Take a member's strikes away and return how many there were."""
        return await self._database.write(lambda tx: rows.pardon(tx, guild_id, user_id))

    async def blocked(self) -> dict[tuple[int, int], float]:
        """Return until when whom (server, member) is blocked."""
        return await self._database.read(lambda tx: rows.blocked(tx, self._clock()))

    async def block(self, guild_id: int, user_id: int, until: float) -> None:
        """Take no order of a member until unix time ``until``."""
        await self._database.write(lambda tx: rows.block(tx, guild_id, user_id, until))

    async def unblock(self, guild_id: int, user_id: int) -> bool:
        """Take a member's orders again; return whether they were blocked."""
        return await self._database.write(lambda tx: rows.unblock(tx, guild_id, user_id))

    def _late(self, tx: Connection, job_id: int) -> Decision | None:
        known = rows.get(tx, job_id)
        return None if known is None else Decision(known, won=False)

    def _decide(
        self, tx: Connection, job_id: int, verdict: Verdict, by: int | None
    ) -> tuple[Review | None, Sequence[Job]]:
        """Decide on what is held, and return that with what of it is painted.

        ``None``: it was decided on before, or cannot be yet, for some of it is painted again.
        """
        cells = self._cells(tx, job_id)
        if any(cell.state in _LIVE for cell in cells):
            return None, ()
        painted = _painted(cells)
        # What nobody waits for any more is nobody's decision.
        verdict, by = (verdict, by) if painted else (Verdict.WITHDRAWN, None)
        return rows.decide(tx, job_id, verdict, by, self._clock()), painted

    def _withhold(self, tx: Connection, painted: Sequence[Job], failure: Failure, *, charged: bool) -> list[Job]:
        in_order = sorted(painted, key=lambda job: job.lane)
        ended = [self._ledger.withhold(tx, job.id, failure, charged=charged) for job in in_order]
        return [job for job in ended if job is not None]

    def _cells(self, tx: Connection, job_id: int) -> Sequence[Job]:
        """Return the job, or all cells of its sheet."""
        now = self._clock()
        job = fetch_job(tx, statements.BY_ID, {"of_id": job_id}, now)
        if job is None:
            return []
        sheet = job.spec.sheet
        if sheet is None:
            return [job]
        return [read_job(row, now) for row in tx.execute(statements.OF_SHEET, statements.prefix(sheet.key))]


def _painted(cells: Sequence[Job]) -> Sequence[Job]:
    """Return those that are painted and not delivered."""
    return [cell for cell in cells if cell.state is State.PAINTED]
