from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery import parcels
from bot.delivery.parcels import MAX_FILES, parts
from bot.ui.card import Attachment

LIMIT = 1000


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Let a message hold a kilobyte, so that many files are quickly made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parcels, "MAX_REQUEST_BYTES", LIMIT)
        yield


def made(sizes: Sequence[int]) -> list[Attachment]:
    return [Attachment(f"easel-1-{n}.png", b"x" * size) for n, size in enumerate(sizes, start=1)]


@given(st.lists(st.integers(1, LIMIT), min_size=1, max_size=40))
def test_files_fill_messages_in_their_order_within_both_limits_and_none_is_lost(sizes: list[int]) -> None:
    files = made(sizes)
    messages = list(parts(files))
    assert [file for part in messages for file in part] == files
    for part in messages:
        assert 1 <= len(part) <= MAX_FILES
        assert sum(len(file.data) for file in part) <= LIMIT
    for part, following in pairwise(messages):
        whole = sum(len(file.data) for file in part) + len(following[0].data)
        assert len(part) == MAX_FILES or whole > LIMIT, "no message ends before it has to"
