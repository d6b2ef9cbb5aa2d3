import asyncio
from collections.abc import AsyncIterator
from operator import methodcaller
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError, LimitError, RequestError
from bot.domain.permits import OPEN, Permits
from bot.services.authority import MAX_ENTRIES, MAX_ROLES, Authority
from bot.storage import forgetting
from bot.storage.settings import StoredSettings
from bot.storage.sqlite import SqliteDatabase

ADMIN = Asker(2, guild_id=10, manages=True)
DEPUTY = Asker(3, guild_id=10, roles=frozenset({10, 7}))
ADA = Asker(1, guild_id=10, roles=frozenset({10}))


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path))
    await database.open()
    yield database
    await database.close()


async def test_what_is_said_outlasts_a_restart_and_goes_with_the_servers_data(database: SqliteDatabase) -> None:
    store = StoredSettings(database)
    kept = Authority(store)
    await asyncio.gather(
        kept.change(ADMIN, lambda permits: permits.managed_by(7)),
        kept.change(ADMIN, lambda permits: permits.commanding("draw", 8)),
        kept.change(ADMIN, lambda permits: permits.modelling("xl*", 8)),
    )
    again = Authority(store)
    assert await again.permits(10) == Permits((7,), {"draw": (8,)}, {"xl*": (8,)})
    assert await again.manages(DEPUTY)
    assert not await again.manages(ADA)
    assert await again.granted(Asker(1, roles=ADA.roles)) == OPEN
    assert await again.permits(11) == Permits()
    await database.write(lambda tx: forgetting.server(tx, 10, 0.0))
    assert await Authority(store).permits(10) == Permits()


async def test_only_the_permission_itself_says_which_roles_stand_for_it(database: SqliteDatabase) -> None:
    kept = Authority(StoredSettings(database))
    with pytest.raises(DeniedError, match="Only members with Manage Server may"):
        await kept.change(ADA, lambda permits: permits.managed_by(10))
    await kept.change(ADMIN, lambda permits: permits.managed_by(7))
    await kept.change(DEPUTY, lambda permits: permits.commanding("draw", 7))
    for change in (lambda permits: permits.managed_by(9), lambda permits: permits.without(7)):
        with pytest.raises(DeniedError, match="the permission Manage Server itself"):
            await kept.change(DEPUTY, change)
    with pytest.raises(RequestError, match="no server here"):
        await kept.check_managed(Asker(2, manages=True))
    with pytest.raises(DeniedError) as denied:
        await kept.check(ADA, "No.", "Ask somebody.")
    assert denied.value.values["roles"] == "<@&7>"
    await kept.drop(10, 7)
    assert not await kept.manages(DEPUTY)
    with pytest.raises(DeniedError, match="Ask somebody"):
        await kept.check(ADA, "No.", "Ask somebody.")


async def test_a_server_lists_no_more_than_fits(database: SqliteDatabase) -> None:
    kept = Authority(StoredSettings(database))
    for role in range(1, MAX_ROLES + 1):
        await kept.change(ADMIN, methodcaller("commanding", "draw", role))
    with pytest.raises(LimitError, match="11 roles"):
        await kept.change(ADMIN, lambda permits: permits.commanding("draw", MAX_ROLES + 1))
    for number in range(MAX_ENTRIES):
        await kept.change(ADMIN, methodcaller("modelling", f"m{number}", 1))
    with pytest.raises(LimitError, match="41 entries"):
        await kept.change(ADMIN, lambda permits: permits.modelling("one more", 1))
    assert len((await kept.permits(10)).models) == MAX_ENTRIES
