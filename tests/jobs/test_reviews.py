"""Held results: one decision counts, and with it go the job, its charge, the strike and the block."""

import asyncio

import pytest

from bot.domain.errors import Failure
from bot.domain.job import Job, State
from bot.domain.quotas import Allowance, Period, Scope, Spender
from bot.domain.reviewing import BLOCK_S, STRIKE_S, Cause, Review, Sentence, Verdict
from bot.jobs.forgetting import Forgetting
from bot.jobs.reviews import Decision, Reviews
from bot.jobs.service import Jobs
from tests.jobs.queues import DONE, Queue, add, leased

GUILD, ADA, MIRA, ANTON = 1, 11, 21, 22
DAY = Allowance(Scope.PERSON, Period.DAY, 1000)
NO = Failure("Declined.", withheld=True)
DAY_S = 86400


@pytest.fixture
def reviews(jobs: Jobs, queue: Queue) -> Reviews:
    return Reviews(jobs._database, jobs._engine, queue.clock)


@pytest.fixture
def forgetting(jobs: Jobs, queue: Queue) -> Forgetting:
    return Forgetting(jobs._database, jobs._engine, queue.clock)


async def painted(jobs: Jobs, queue: Queue) -> Job:
    job = await add(jobs, queue.new(GUILD, ADA))
    done = await jobs.paint(await leased(jobs, job.id), DONE)
    assert done is not None
    return done


async def held(jobs: Jobs, queue: Queue, reviews: Reviews) -> Job:
    job = await painted(jobs, queue)
    await reviews.hold(Review(job.id, GUILD, Verdict.HELD, Cause.ALL, queue.clock()))
    return job


async def deny(reviews: Reviews, job: Job, *, most: int = 3, block: bool = False) -> Decision:
    decision = await reviews.deny(job.id, MIRA, NO, strikes_to_block=most, block=block)
    assert decision is not None
    return decision


async def used_s(jobs: Jobs) -> float:
    [use] = await jobs.uses(Spender(GUILD, ADA, 500), [DAY])
    return use.painted_s


async def test_what_is_held_is_painted_neither_waits_nor_runs_and_is_not_swept(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    job = await held(jobs, queue, reviews)
    queue.clock.now += 6 * DAY_S
    assert await jobs.sweep() == []
    assert await jobs.waiting() == []
    assert [each.id for each in await jobs.untold()] == [job.id]
    assert await jobs.blobs_in_use() == {picture.blob for picture in DONE.pictures}
    assert [each.job_id for each in await reviews.unfinished()] == [job.id]


async def test_an_approved_result_is_delivered_as_if_just_painted(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    job = await held(jobs, queue, reviews)
    decision = await reviews.approve(job.id, MIRA)
    assert decision is not None
    assert decision.won
    assert (decision.review.verdict, decision.review.by) == (Verdict.APPROVED, MIRA)
    assert [each.state for each in decision.jobs] == [State.PAINTED]
    again = await reviews.hold(Review(job.id, GUILD, Verdict.HELD, Cause.ALL, queue.clock()))
    assert again.verdict is Verdict.APPROVED, "a second look changes nothing"
    assert (await jobs.tell(job.id)).state is State.DELIVERED


async def test_a_declined_result_fails_in_words_with_no_picture_left_and_stays_charged(
    jobs: Jobs, queue: Queue, reviews: Reviews, forgetting: Forgetting
) -> None:
    job = await held(jobs, queue, reviews)
    decision = await deny(reviews, job)
    [failed] = decision.jobs
    assert (failed.state, failed.failure, failed.result) == (State.FAILED, NO, None)
    assert decision.sentence == Sentence(1)
    assert await jobs.last_result(ADA, 500) is None
    assert (await forgetting.unused())[1] == {picture.blob for picture in DONE.pictures}
    assert await used_s(jobs) == DONE.seconds
    await jobs.tell(job.id)
    assert await used_s(jobs) == DONE.seconds
    assert (await jobs.get(job.id)) is not None


async def test_of_two_moderators_at_once_one_decides_and_the_other_learns_what(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    job = await held(jobs, queue, reviews)
    first, second = await asyncio.gather(reviews.approve(job.id, MIRA), reviews.approve(job.id, ANTON))
    assert first is not None
    assert second is not None
    assert sorted([first.won, second.won]) == [False, True]
    assert first.review.by == second.review.by == (MIRA if first.won else ANTON)
    late = await deny(reviews, job)
    assert not late.won
    assert late.review.verdict is Verdict.APPROVED


async def test_a_late_word_changes_nothing_of_what_was_approved(
    jobs: Jobs, queue: Queue, reviews: Reviews, forgetting: Forgetting
) -> None:
    job = await held(jobs, queue, reviews)
    first = await reviews.approve(job.id, MIRA)
    late = await deny(reviews, job, block=True)
    assert first is not None
    assert [first.won, late.won, late.jobs] == [True, False, ()]
    assert late.review.verdict is Verdict.APPROVED
    assert (await forgetting.unused())[1] == set()
    assert await reviews.blocked() == {}
    assert (await jobs.tell(job.id)).state is State.DELIVERED


async def test_nothing_is_decided_or_lapses_while_it_is_painted_again(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    job = await held(jobs, queue, reviews)
    await jobs.repaint(job.id)
    queue.clock.now += 8 * DAY_S
    assert await reviews.lapse(7 * DAY_S, NO) == []
    for decision in (await reviews.approve(job.id, MIRA), await deny(reviews, job)):
        assert decision is not None
        assert (decision.won, decision.review.verdict) == (False, Verdict.HELD)
    await jobs.paint(await leased(jobs, job.id), DONE)
    decision = await reviews.approve(job.id, MIRA)
    assert decision is not None
    assert decision.won


async def test_what_was_taken_for_withdrawn_and_is_painted_is_held_anew(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    job = await held(jobs, queue, reviews)
    await reviews.post(job.id, 70, 700)
    await reviews.withdraw(job.id)
    await reviews.show(job.id, Verdict.WITHDRAWN)
    queue.clock.now += 60
    again = await reviews.hold(Review(job.id, GUILD, Verdict.HELD, Cause.ALL, queue.clock()))
    assert (again.verdict, again.at, again.shown) == (Verdict.HELD, queue.clock(), Verdict.WITHDRAWN)
    assert (await deny(reviews, job)).won


async def test_what_was_cancelled_meanwhile_is_withdrawn_whatever_the_moderator_says(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    for decide in (reviews.approve, None):
        job = await held(jobs, queue, reviews)
        cancelled = await jobs.cancel(job.id, by=ADA)
        assert cancelled is not None
        assert cancelled.result is None
        decision = await reviews.approve(job.id, MIRA) if decide else await deny(reviews, job)
        assert decision is not None
        assert (decision.won, decision.review.verdict) == (False, Verdict.WITHDRAWN)
    assert await reviews.strikes(GUILD, ADA) == []
    assert await reviews.approve(999, MIRA) is None


async def test_the_third_strike_within_30_days_is_a_block_of_7(jobs: Jobs, queue: Queue, reviews: Reviews) -> None:
    await deny(reviews, await held(jobs, queue, reviews))
    queue.clock.now += STRIKE_S + 1
    for count in (1, 2):
        assert (await deny(reviews, await held(jobs, queue, reviews))).sentence == Sentence(count)
    until = queue.clock.now + BLOCK_S
    assert (await deny(reviews, await held(jobs, queue, reviews))).sentence == Sentence(3, until)
    assert await reviews.blocked() == {(GUILD, ADA): until}
    assert len(await reviews.strikes(GUILD, ADA)) == 3
    assert await reviews.pardon(GUILD, ADA) == 4
    assert await reviews.unblock(GUILD, ADA)
    assert not await reviews.unblock(GUILD, ADA)
    for _ in range(4):
        assert (await deny(reviews, await held(jobs, queue, reviews), most=0)).sentence != Sentence(3, until)
    assert await reviews.blocked() == {}
    await deny(reviews, await held(jobs, queue, reviews), most=0, block=True)
    assert list(await reviews.blocked()) == [(GUILD, ADA)]
    queue.clock.now += BLOCK_S + 1
    assert await reviews.blocked() == {}


async def test_what_nobody_decides_on_lapses_and_is_refunded(jobs: Jobs, queue: Queue, reviews: Reviews) -> None:
    job = await held(jobs, queue, reviews)
    queue.clock.now += DAY_S
    young = await held(jobs, queue, reviews)
    queue.clock.now += 6 * DAY_S
    [lapsed] = await reviews.lapse(7 * DAY_S, NO)
    assert lapsed.review.verdict is Verdict.LAPSED
    assert [each.id for each in lapsed.jobs] == [job.id]
    assert await used_s(jobs) == 0
    assert [each.job_id for each in await reviews.unfinished()] == [young.id]


async def test_a_card_that_does_not_say_yet_what_was_decided_is_found_by_the_next_life(
    jobs: Jobs, queue: Queue, reviews: Reviews
) -> None:
    job = await held(jobs, queue, reviews)
    await reviews.post(job.id, 70, 700)
    [known] = await reviews.unfinished()
    assert (known.channel_id, known.message_id, known.shown) == (70, 700, Verdict.HELD)
    await reviews.approve(job.id, MIRA)
    [known] = await reviews.unfinished()
    assert (known.verdict, known.shown) == (Verdict.APPROVED, Verdict.HELD)
    await reviews.show(job.id, Verdict.APPROVED)
    assert await reviews.unfinished() == []


async def test_who_deletes_everything_leaves_nothing_held_and_stays_blocked(
    jobs: Jobs, queue: Queue, reviews: Reviews, forgetting: Forgetting
) -> None:
    await deny(reviews, await held(jobs, queue, reviews), block=True)
    job = await held(jobs, queue, reviews)
    await forgetting.person(ADA)
    assert await reviews.get(job.id) is None
    assert await reviews.strikes(GUILD, ADA) == []
    assert list(await reviews.blocked()) == [(GUILD, ADA)]
    await forgetting.server(GUILD)
    assert await reviews.blocked() == {}


async def test_whoever_deletes_everything_leaves_a_review_until_its_card_says_that_it_is_over(
    jobs: Jobs, queue: Queue, reviews: Reviews, forgetting: Forgetting
) -> None:
    waiting, decided = [await held(jobs, queue, reviews) for _ in range(2)]
    await reviews.post(waiting.id, 5, 6)
    await reviews.post(decided.id, 5, 7)
    await reviews.approve(decided.id, MIRA)
    await reviews.show(decided.id, Verdict.APPROVED)
    queue.clock.now += 60
    await forgetting.person(ADA)
    [left] = await reviews.unfinished()
    assert (left.job_id, left.verdict, left.message_id) == (waiting.id, Verdict.WITHDRAWN, 6)
    assert (left.at, left.by) == (queue.clock.now, None)
    assert await reviews.get(decided.id) is None
    await reviews.show(waiting.id, Verdict.WITHDRAWN)
    assert await reviews.get(waiting.id) is None
