"""Presets, styles, wildcard lists and cards of models, as rows."""

import json

from sqlalchemy import Connection, bindparam, delete, insert, select

from bot.domain.snippets import Kind, Snippet
from bot.storage.database import Database
from bot.storage.tables import snippets

_OWNED = (snippets.c.scope == bindparam("of_scope")) & (snippets.c.owner == bindparam("of_owner"))
# The key begins with the kind: without one SQLite reads what everybody keeps.
_ANY = snippets.c.kind.in_([each.value for each in Kind])
_LOAD = select(snippets).where(_ANY, _OWNED).order_by(snippets.c.name)
_CARDS = select(snippets.c.body).where(snippets.c.kind == Kind.MODEL.value)
_DROP = delete(snippets).where(
    _OWNED & (snippets.c.kind == bindparam("of_kind")) & (snippets.c.name == bindparam("of_name"))
)


class StoredSnippets:
    """``ports.SnippetStore`` in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, scope: str, owner: int) -> tuple[Snippet, ...]:
        """Return all that a server or a person keeps."""

        def work(tx: Connection) -> tuple[Snippet, ...]:
            rows = tx.execute(_LOAD, {"of_scope": scope, "of_owner": owner})
            return tuple(
                Snippet(
                    Kind(row.kind),
                    row.scope,
                    row.owner,
                    row.name,
                    json.loads(row.body),
                    row.made_by,
                    row.made_at,
                )
                for row in rows
            )

        return await self._database.read(work)

    async def samples(self) -> frozenset[str]:
        """Return the blobs of all cards' sample pictures."""

        def work(tx: Connection) -> frozenset[str]:
            bodies = (json.loads(row.body) for row in tx.execute(_CARDS))
            return frozenset(body["sample"] for body in bodies if "sample" in body)

        return await self._database.read(work)

    async def save(self, snippet: Snippet, *, instead_of: str | None = None) -> None:
        """Keep ``snippet``, in place of the one that was called ``instead_of``."""

        def work(tx: Connection) -> None:
            for name in {snippet.name, instead_of or snippet.name}:
                _drop(tx, snippet.kind, snippet.scope, snippet.owner, name)
            tx.execute(
                insert(snippets),
                {
                    "kind": snippet.kind.value,
                    "scope": snippet.scope,
                    "owner": snippet.owner,
                    "name": snippet.name,
                    "body": json.dumps(dict(snippet.body)),
                    "made_by": snippet.made_by,
                    "made_at": snippet.made_at,
                },
            )

        await self._database.write(work)

    async def delete(self, snippet: Snippet) -> None:
        """Forget ``snippet``."""

        def work(tx: Connection) -> None:
            _drop(tx, snippet.kind, snippet.scope, snippet.owner, snippet.name)

        await self._database.write(work)


def _drop(tx: Connection, kind: Kind, scope: str, owner: int, name: str) -> None:
    tx.execute(_DROP, {"of_kind": kind.value, "of_scope": scope, "of_owner": owner, "of_name": name})
