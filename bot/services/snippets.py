"""Presets, styles, wildcard lists and cards of models: what servers and persons keep by name."""

import asyncio
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.domain.asker import Asker
from bot.domain.audit import Change
from bot.domain.errors import LimitError, RequestError
from bot.domain.ports import Clock, SnippetStore
from bot.domain.searching import matches, nearest
from bot.domain.snippets import MAX_NAME, MAX_SNIPPETS, Kind, ModelCard, Preset, Snippet, Style, Wildcards
from bot.domain.text import N_
from bot.prompting import wildcards
from bot.services import presets
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.preferences import Scope

WildcardLists = Mapping[str, tuple[str, ...]]
Thing = Preset | Style | Wildcards | ModelCard
T = TypeVar("T", Preset, Style, Wildcards, ModelCard)

MAX_BODY_BYTES = 64 * 1024
"""Most that one kept thing may take."""
CACHED_CHARS = 16 * 1024 * 1024
CACHED_OWNERS = 2000
"""How much of what is kept stays in memory, and of how many owners, so that a suggestion waits for nobody."""
_KINDS: Mapping[type[Thing], Kind] = {
    Preset: Kind.PRESET,
    Style: Kind.STYLE,
    Wildcards: Kind.WILDCARD,
    ModelCard: Kind.MODEL,
}
_ADAPTERS: Mapping[type[Thing], TypeAdapter[Any]] = {each: TypeAdapter(each) for each in _KINDS}
_WORDS: Mapping[Kind, tuple[str, str]] = {
    Kind.PRESET: (N_("There is no preset “{name}” here."), N_("Keep one: /preset save")),
    Kind.STYLE: (N_("There is no style “{name}” here."), N_("Keep one: /style save")),
    Kind.WILDCARD: (N_("There is no wildcard list “{name}” here."), N_("Keep one: /wildcard save")),
    Kind.MODEL: (N_("Nothing is told of “{name}” here."), N_("Tell of it: /model card")),
}
_KEEP_OWN = N_("Leave “server” out to keep it for yourself.")
_ASK = N_("Ask one of them.")
_PARTING = frozenset(',"')
"""What parts names in an option that takes several."""
_LIST_NAME = re.compile(wildcards.NAME)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """All that one server or person keeps, by kind and case-folded name; sizes are about right."""

    kept: Mapping[tuple[Kind, str], Snippet]
    sizes: Mapping[tuple[Kind, str], int]
    chars: int

    @classmethod
    def of(cls, snippets: Iterable[Snippet], known: "_Shelf | None" = None) -> "_Shelf":
        """Return the shelf of ``snippets``; those that ``known`` has are not measured again."""
        kept = {(each.kind, _folded(each.name)): each for each in snippets}
        sizes = {
            key: known.sizes[key] if known and known.kept.get(key) is each else len(str(each.body))
            for key, each in kept.items()
        }
        return cls(kept, sizes, sum(sizes.values()))


class _Lists(Mapping[str, tuple[str, ...]]):
    """Wildcard lists by name, each read only when a prompt names it."""

    def __init__(self, host: WildcardLists, kept: Iterable[Snippet]) -> None:
        self._host = host
        self._kept = {each.name: each for each in kept}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if name not in self._kept:
            return self._host[name]
        found = _read(self._kept[name], Wildcards)
        return () if found is None else found.lines

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self._host), **dict.fromkeys(self._kept)})

    def __len__(self) -> int:
        return len({*self._host, *self._kept})


class Snippets:
    """Keeps things by name for servers and persons; a person's own stands before the server's of the same name.

    ``read_host_lists`` reads the wildcard lists of the host's folder, which are for everybody.
    """

    def __init__(
        self,
        store: SnippetStore,
        authority: Authority,
        auditing: Auditing,
        *,
        clock: Clock,
        read_host_lists: Callable[[], WildcardLists] = dict,
    ) -> None:
        self._store = store
        self._authority = authority
        self._auditing = auditing
        self._clock = clock
        self._shelves: OrderedDict[tuple[Scope, int], _Shelf] = OrderedDict()
        self._writing = asyncio.Lock()
        self._read_host_lists = read_host_lists
        self.host_lists: WildcardLists = {}

    async def reread(self) -> int:
        """Read the host's lists anew and return how many there are."""
        self.host_lists = await asyncio.to_thread(self._read_host_lists)
        return len(self.host_lists)

    async def preset(self, asker: Asker, name: str) -> Preset:
        """Return a preset by its name; raises ``RequestError`` with the nearest name."""
        return await self._thing(asker, Preset, name)

    async def presets(self, asker: Asker, scope: Scope) -> tuple[Preset, ...]:
        """Return all presets of ``asker``, or of their server."""
        found = (each for each in await self.kept_by(asker, scope) if each.kind is Kind.PRESET)
        return tuple(preset for each in found if (preset := _read(each, Preset)) is not None)

    async def kept_by(self, asker: Asker, scope: Scope) -> tuple[Snippet, ...]:
        """Return all that ``asker``, or their server, keeps."""
        owner = next((owner for of, owner in _owners(asker) if of is scope), None)
        return () if owner is None else tuple((await self._shelf(scope, owner)).kept.values())

    async def style(self, asker: Asker, name: str) -> Style:
        """Return a style by its name; raises ``RequestError`` with the nearest name."""
        return await self._thing(asker, Style, name)

    async def wildcards(self, asker: Asker, name: str) -> Wildcards:
        """Return a wildcard list by its name; raises ``RequestError`` with the nearest name."""
        host = self._host_list(name)
        if host is not None and await self.find(asker, Kind.WILDCARD, name) is None:
            return Wildcards(host, self.host_lists[host])
        return await self._thing(asker, Wildcards, name)

    async def card(self, asker: Asker, model: str) -> ModelCard | None:
        """Return what this server's admins tell of a model, by its listed name."""
        found = await self.find(asker, Kind.MODEL, model)
        return None if found is None else _read(found, ModelCard)

    async def samples(self) -> frozenset[str]:
        """Return the blobs of all models' sample pictures, which are kept as long as their cards."""
        return await self._store.samples()

    async def lists(self, asker: Asker) -> WildcardLists:
        """Return every wildcard list that holds for ``asker``, by its name."""
        return _Lists(self.host_lists, await self.kept(asker, Kind.WILDCARD))

    async def names(self, asker: Asker, kind: Kind) -> tuple[str, ...]:
        """Return the names of one kind that hold for ``asker``, in order."""
        names = {_folded(each.name): each.name for each in await self.kept(asker, kind)}
        if kind is Kind.WILDCARD:
            names = {_folded(name): name for name in self.host_lists} | names
        return tuple(names[folded] for folded in sorted(names))

    async def suggest(self, asker: Asker, kind: Kind, typed: str) -> list[str]:
        """Return at most 25 names of one kind for what was typed so far, the likeliest first."""
        return matches(typed, await self.names(asker, kind))

    async def kept(self, asker: Asker, kind: Kind) -> tuple[Snippet, ...]:
        """Return what of one kind holds for ``asker``, in order of the names; one's own hides the server's."""
        found: dict[str, Snippet] = {}
        for owner in reversed(_owners(asker)):
            shelf = await self._shelf(*owner)
            found |= {name: each for (of_kind, name), each in shelf.kept.items() if of_kind is kind}
        return tuple(found[name] for name in sorted(found))

    async def find(self, asker: Asker, kind: Kind, name: str) -> Snippet | None:
        """Return what holds for ``asker`` under a name, however its letters are cased."""
        for owner in _owners(asker):
            found = (await self._shelf(*owner)).kept.get((kind, _folded(name)))
            if found is not None:
                return found
        return None

    async def keep(self, asker: Asker, thing: Thing, *, server: bool = False, recorded: bool = True) -> bool:
        """Keep ``thing`` for ``asker``, or for their server; return whether one of the same name gave way.

        What a server keeps goes into its log unless it is not to be ``recorded``. Raises ``DeniedError`` for those
        who do not manage it, ``RequestError`` for a name that cannot be, ``LimitError`` where it is too large or
        too many are kept.
        """
        kind, (scope, owner) = _KINDS[type(thing)], await self._place(asker, server=server, hint=_KEEP_OWN)
        if isinstance(thing, Preset):
            thing = replace(thing, options=presets.checked(thing.options, server=server))
        name = thing.name.strip() if kind is Kind.MODEL else _checked_name(thing.name, kind)
        adapter = _ADAPTERS[type(thing)]
        if len(adapter.dump_json(thing)) > MAX_BODY_BYTES:
            raise LimitError(
                N_("“{name}” is too large to keep."),
                N_("Use at most {max} KB."),
                name=name,
                max=MAX_BODY_BYTES // 1024,
            )
        body = adapter.dump_python(thing, mode="json", exclude_none=True, exclude={"name"})
        snippet = Snippet(kind, scope.value, owner, name, body, asker.user_id, self._clock())
        async with self._writing:
            shelf = await self._shelf(scope, owner)
            former = shelf.kept.get((kind, _folded(name)))
            if former is None and sum(of_kind is kind for of_kind, _ in shelf.kept) >= MAX_SNIPPETS:
                raise LimitError(N_("{max} of them are kept already."), N_("Delete one first."), max=MAX_SNIPPETS)
            await self._store.save(snippet, instead_of=former.name if former else None)
            self._put(scope, owner, {**shelf.kept, (kind, _folded(name)): snippet})
        if server and recorded:
            await self._auditing.record(asker, [Change(kind.value, former and former.name, name)])
        return former is not None

    async def forget(self, asker: Asker, kind: Kind, name: str, *, server: bool = False) -> None:
        """Delete what ``asker``, or their server, keeps under a name; raises as ``keep`` and ``preset`` do."""
        scope, owner = await self._place(asker, server=server, hint=_ASK)
        async with self._writing:
            shelf = await self._shelf(scope, owner)
            found = shelf.kept.get((kind, _folded(name)))
            if found is None:
                await self._check_whose(asker, kind, name)
                raise _unknown(kind, name, [each.name for of, each in shelf.kept.items() if of[0] is kind])
            await self._store.delete(found)
            self._put(scope, owner, {key: each for key, each in shelf.kept.items() if each is not found})
        if server:
            await self._auditing.record(asker, [Change(kind.value, found.name)])

    async def _check_whose(self, asker: Asker, kind: Kind, name: str) -> None:
        """Raise a ``BotError`` in words if what is not there to be deleted is kept by somebody else."""
        found = await self.find(asker, kind, name)
        if found is not None and found.scope == Scope.PERSON:
            raise RequestError(
                N_("“{name}” is your own, not this server's."),
                N_("Leave “server” out to delete it."),
                name=found.name,
            )
        if found is not None:
            await self._place(asker, server=True, hint=_ASK)
            raise RequestError(
                N_("“{name}” is this server's, not your own."),
                N_("Choose server:True to delete it."),
                name=found.name,
            )
        if kind is Kind.WILDCARD and (host := self._host_list(name)) is not None:
            raise RequestError(
                N_("“{name}” is the host's, for everybody."),
                N_("Only the host can delete it; a list of your own with its name goes before it: /wildcard save"),
                name=host,
            )

    def _host_list(self, name: str) -> str | None:
        return next((each for each in self.host_lists if _folded(each) == _folded(name)), None)

    async def _thing(self, asker: Asker, of: type[T], name: str) -> T:
        found = await self.find(asker, _KINDS[of], name)
        thing = None if found is None else _read(found, of)
        if thing is None:
            raise _unknown(_KINDS[of], name, await self.names(asker, _KINDS[of]))
        return thing

    async def _place(self, asker: Asker, *, server: bool, hint: str) -> tuple[Scope, int]:
        if not server:
            return Scope.PERSON, asker.user_id
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Leave “server” out to mean your own."))
        denied = N_("Only members with Manage Server may change what this server keeps.")
        return Scope.SERVER, await self._authority.check(asker, denied, hint)

    def forget_all(self) -> None:
        """Keep nothing in memory any more: something was deleted in the store."""
        self._shelves.clear()

    async def _shelf(self, scope: Scope, owner: int) -> _Shelf:
        if (scope, owner) not in self._shelves:
            loaded = await self._store.load(scope.value, owner)
            # What was kept in the meantime is newer than what was read.
            if (scope, owner) not in self._shelves:
                return self._put(scope, owner, {(each.kind, _folded(each.name)): each for each in loaded})
        self._shelves.move_to_end((scope, owner))
        return self._shelves[scope, owner]

    def _put(self, scope: Scope, owner: int, kept: Mapping[tuple[Kind, str], Snippet]) -> _Shelf:
        known = self._shelves.pop((scope, owner), None)
        shelf = self._shelves[scope, owner] = _Shelf.of(kept.values(), known)
        chars = sum(each.chars for each in self._shelves.values())
        while len(self._shelves) > 1 and (chars > CACHED_CHARS or len(self._shelves) > CACHED_OWNERS):
            chars -= self._shelves.popitem(last=False)[1].chars
        return shelf


def _owners(asker: Asker) -> list[tuple[Scope, int]]:
    server = [] if asker.guild_id is None else [(Scope.SERVER, asker.guild_id)]
    return [(Scope.PERSON, asker.user_id), *server]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _checked_name(typed: str, kind: Kind) -> str:
    name = unicodedata.normalize("NFC", " ".join(typed.split()))
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise RequestError(N_("That is no name."), N_("Use 1 to {max} characters."), max=MAX_NAME)
    if kind is Kind.STYLE and not _PARTING.isdisjoint(name):
        raise RequestError(
            N_("“{name}” cannot be chosen: commas and quotes part the names of styles."),
            N_("Leave them out of its name."),
            name=name,
        )
    if kind is Kind.WILDCARD and not _LIST_NAME.fullmatch(name):
        raise RequestError(
            N_("“{name}” cannot stand in a prompt as __{name}__."),
            N_("Use letters, digits and single - _ . / between them."),
            name=name,
        )
    return name


def _read(snippet: Snippet, of: type[T]) -> T | None:
    try:
        thing: T = _ADAPTERS[of].validate_python({**snippet.body, "name": snippet.name})
        if isinstance(thing, Preset):
            thing = replace(thing, options=presets.revived(thing.options))
    except ValidationError:
        # One that another version kept must never stop a command.
        return None
    return thing


def _unknown(kind: Kind, name: str, names: Collection[str]) -> RequestError:
    message, hint = _WORDS[kind]
    near = nearest(name, names)
    if near is None:
        return RequestError(message, hint, name=name[:100])
    return RequestError(
        message,
        N_("The nearest is “{nearest}”; type a few letters to see the list."),
        name=name[:100],
        nearest=near,
    )
