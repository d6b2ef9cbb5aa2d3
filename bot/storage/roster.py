"""The roll of all backends, as rows: each process writes those of its own and reads the others'."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from bot.domain import errors
from bot.domain.breaker import Condition
from bot.domain.capability import Capabilities
from bot.domain.errors import BackendError, TakenError
from bot.domain.roster import Entry, Outage, Roll, Standing
from bot.domain.text import N_
from bot.storage.database import Database
from bot.storage.tables import backends, nodes

log = logging.getLogger(__name__)

SILENT_S = 12.0
"""Longer than two beats of a process, and short enough that who waits for it has its own next beat in time."""

_LISTS = TypeAdapter(Capabilities)
_FIELDS = frozenset(field.name for field in fields(Standing))
_ERRORS = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, BackendError)
}

_NOW = func.extract("epoch", func.clock_timestamp())
_ALIVE = select(nodes.c.id, nodes.c.name).where(nodes.c.seen_at >= _NOW - bindparam("dead_s"))
_DEAD = backends.c.node_id.not_in(_ALIVE.with_only_columns(nodes.c.id))
_TELL = insert(backends).values({name: bindparam(name) for name in ("name", "node_id", "state", "capabilities")})
_PUBLISH = _TELL.on_conflict_do_update(
    index_elements=[backends.c.name],
    set_={
        "node_id": _TELL.excluded.node_id,
        "state": _TELL.excluded.state,
        "capabilities": func.coalesce(_TELL.excluded.capabilities, backends.c.capabilities),
    },
    where=(backends.c.node_id == _TELL.excluded.node_id) | _DEAD,
).returning(backends.c.name)
_HOLDER = (
    select(nodes.c.name, nodes.c.seen_at)
    .join(backends, backends.c.node_id == nodes.c.id)
    .where(backends.c.name == bindparam("of_name"))
)
_ALL = select(backends.c.name, backends.c.node_id, backends.c.state).order_by(backends.c.name)
_TOLD = select(backends.c.name, backends.c.capabilities).where(
    backends.c.name.in_(bindparam("of_names", expanding=True)), backends.c.capabilities.is_not(None)
)
_FORGET = delete(backends).where(backends.c.name.in_(bindparam("of_names", expanding=True)), _DEAD)


class StoredRoster:
    """``RosterStore`` in a database of many processes; who was silent for ``dead_s`` is dead.

    Whoever asks for the name of one that was silent for ``silent_s`` gets it: that is its own next life, mostly.
    """

    def __init__(self, database: Database, *, dead_s: float, silent_s: float = SILENT_S) -> None:
        self._database = database
        self._dead_s, self._silent_s = dead_s, silent_s

    async def publish(self, node: int, own: Mapping[str, Standing], lists: Mapping[str, Capabilities]) -> None:
        """Tell how some of a node's backends are, and what those in ``lists`` have; raises ``TakenError``."""

        def work(tx: Connection) -> None:
            for name in sorted(own):
                told = lists.get(name)
                capabilities = None if told is None else _LISTS.dump_json(told).decode()
                row = {"name": name, "node_id": node, "state": _written(own[name]), "capabilities": capabilities}
                if tx.execute(_PUBLISH, row | {"dead_s": self._silent_s}).one_or_none() is None:
                    _refuse(tx, name)

        await self._database.write(work, synced=False)

    async def read(self, known: Mapping[str, str]) -> Roll:
        """Return all there are; lists only of those that are not in ``known``, or there by another mark."""
        return await self._database.read(partial(_roll, known=known, dead_s=self._dead_s))

    async def forget(self, names: Sequence[str]) -> None:
        """Forget those of these backends whose node is dead."""
        of = {"of_names": list(names), "dead_s": self._dead_s}
        await self._database.write(lambda tx: tx.execute(_FORGET, of), synced=False)


def _refuse(tx: Connection, name: str) -> None:
    holder = tx.execute(_HOLDER, {"of_name": name}).one_or_none()
    raise TakenError(
        N_("The process {node} has a backend {backend} already."),
        N_("Give this one another name: name=… in EASEL_BACKENDS, or the worker another --name."),
        node=holder.name if holder else "",
        backend=name,
        seen_at=holder.seen_at if holder else 0.0,
    )


def _roll(tx: Connection, *, known: Mapping[str, str], dead_s: float) -> Roll:
    alive = {row.id: row.name for row in tx.execute(_ALIVE, {"dead_s": dead_s})}
    entries = [Entry(row.name, row.node_id, _read(row.state)) for row in tx.execute(_ALL)]
    newer = [
        each.name for each in entries if (each.standing.lists or known.get(each.name)) != known.get(each.name)
    ]
    unknown = [each.name for each in entries if each.name not in known]
    rows = tx.execute(_TOLD, {"of_names": [*newer, *unknown]})
    lists = {row.name: _listed(row.name, row.capabilities) for row in rows}
    return Roll(alive, tuple(replace(each, lists=lists.get(each.name)) for each in entries))


def _listed(name: str, text: str) -> Capabilities | None:
    try:
        return _LISTS.validate_json(text)
    except ValidationError:
        log.info("what backend %s has is told in the words of another version", name)
        return None


def _written(standing: Standing) -> str:
    outage = standing.outage
    told: dict[str, Any] = asdict(replace(standing, outage=None))
    if outage is not None:
        error = outage.error
        words = {
            "kind": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "values": error.values,
        }
        told["outage"] = {"since": outage.since, **words}
    return json.dumps(told)


def _read(text: str) -> Standing:
    """Return a standing; what a newer version tells beside is left out."""
    told: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in _FIELDS}
    outage = told.pop("outage")
    return Standing(
        **told | {"condition": Condition(told["condition"])}, outage=None if outage is None else _outage(outage)
    )


def _outage(told: Mapping[str, Any]) -> Outage:
    kind = _ERRORS.get(told["kind"], BackendError)
    return Outage(told["since"], kind(told["message"], told["hint"], **told["values"]))
