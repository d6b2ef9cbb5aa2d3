"""What holds for the one process that has a data folder to itself."""

import pytest

from bot.domain.errors import BotError
from tests.jobs.queues import Queue, add, line


async def test_a_second_process_is_refused_and_told_the_cure(alone: Queue) -> None:
    jobs = await alone.open()
    with pytest.raises(BotError, match="EASEL_DATA_DIR") as caught:
        await alone.make().open()
    assert str(alone.folder) in str(caught.value)
    await add(jobs, alone.new())
    await jobs.close()
    assert len(await line(await alone.open())) == 1


async def test_a_damaged_database_is_named_with_its_cure(alone: Queue) -> None:
    alone.folder.mkdir()
    (alone.folder / "easel.sqlite3").write_bytes(b"no database at all" * 500)
    with pytest.raises(BotError, match=r"cannot be used: file is not a database.* backup"):
        await alone.make().open()


async def test_what_people_asked_is_for_the_owner_of_the_file_alone(alone: Queue) -> None:
    await add(await alone.open(), alone.new())
    assert (alone.folder / "easel.sqlite3").stat().st_mode & 0o077 == 0
