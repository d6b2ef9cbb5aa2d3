"""Which servers are told to which shard, what a host may write, and when a shard may start a session."""

import asyncio
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import gateway
from bot.domain.shards import Shards
from bot.gateway import Turns
from bot.refusals import DiscordAwayError, RefusedError, TokenRefusedError, refusal

COUNTS = st.integers(1, 500)
SNOWFLAKES = st.integers(0, 2**64 - 1)


@given(SNOWFLAKES | st.none(), COUNTS, st.data())
def test_every_server_belongs_to_exactly_one_of_those_who_share_all_shards(
    guild_id: int | None, count: int, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, count - 1), max_size=4))) if count > 1 else []
    bounds = [0, *cuts, count]
    shares = [Shards(range(first, last), count) for first, last in pairwise(bounds)]
    assert sum(share.owns(guild_id) for share in shares) == 1
    assert Shards.all(count).owns(guild_id)
    assert Shards.all(count).whole
    assert all(share.whole == (len(shares) == 1) for share in shares)


@given(SNOWFLAKES, COUNTS)
def test_a_server_is_told_to_the_shard_of_discords_formula(guild_id: int, count: int) -> None:
    number = (guild_id >> 22) % count
    assert Shards.parse(f"{number}/{count}").owns(guild_id)


def test_direct_messages_are_told_to_shard_0() -> None:
    assert Shards.parse("0/2").owns(None)
    assert not Shards.parse("1/2").owns(None)


@given(COUNTS, st.data())
def test_what_shards_say_of_themselves_can_be_written(count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, count - 1))
    shards = Shards(range(first, data.draw(st.integers(first, count - 1)) + 1), count)
    assert Shards.parse(str(shards)) == shards


def test_one_shard_can_be_written_alone() -> None:
    assert Shards.parse(" 2/4 ") == Shards(range(2, 3), 4)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", " is not like 0-1/4"),
        ("all", "all is not like 0-1/4"),
        ("0-1", "0-1 is not like 0-1/4"),
        ("-1/4", "-1/4 is not like 0-1/4"),
        ("0,1/4", "0,1/4 is not like 0-1/4"),
        ("٠/4", "is not like 0-1/4"),
        ("0/9999999", "0/9999999 is not like 0-1/4"),
        ("3-1/4", "3-1/4 ends before it begins; perhaps 1-3/4."),
        ("2-4/4", "2-4/4 has no shard 4: 4 shards are 0 to 3."),
        ("0/0", "0/0 has no shard 0: there must be at least one shard."),
    ],
)
def test_what_makes_no_sense_is_told_in_words(written: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Shards.parse(written)


@pytest.mark.parametrize(
    ("code", "chosen", "kind", "cure"),
    [
        (4004, False, TokenRefusedError, "Reset it in the developer portal."),
        (4010, True, RefusedError, "Choose others with --shards."),
        (4011, True, RefusedError, "for the shards 0-1/2. Share them out among more"),
        (4011, False, DiscordAwayError, "as many as Discord recommends"),
        (4012, False, RefusedError, "Update Easel."),
        (4013, False, RefusedError, "Update Easel."),
        (4014, False, RefusedError, "Privileged Gateway Intents"),
        (4999, False, DiscordAwayError, "for good: 4999."),
    ],
)
def test_what_discord_refuses_for_good_is_told_with_its_cure(
    code: int, chosen: bool, kind: type[Exception], cure: str
) -> None:
    refused = refusal(code, Shards.all(2), chosen=chosen)
    assert type(refused) is kind
    assert cure in str(refused)


async def test_shards_of_one_bucket_take_turns_and_others_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "SESSION_S", 0.05)
    turns, at, loop = Turns(at_once=2), dict[int, float](), asyncio.get_running_loop()

    async def start(shard_id: int) -> None:
        await turns.wait(shard_id)
        at[shard_id] = loop.time()

    await asyncio.gather(*(start(each) for each in range(4)))
    assert max(at[0], at[1]) < min(at[2], at[3]), "one waited for a shard of the other bucket"
    assert at[2] - at[0] >= 0.05
    assert at[3] - at[1] >= 0.05
