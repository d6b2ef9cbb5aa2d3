"""What is kept in mind between an answer and what its buttons and forms bring; a restart forgets it."""

from collections import OrderedDict
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from bot.domain.errors import GoneError
from bot.domain.text import N_

T = TypeVar("T")

REMEMBERED = 500
"""Things kept in mind before the oldest is forgotten."""


class Memory(Generic[T]):
    """Things by the person they belong to and an interaction's id.

    By person too: an id can be forged, and must not reach what somebody else ordered. ``again`` is the hint where
    a thing is forgotten; ``most`` are kept in mind before the oldest is forgotten.
    """

    def __init__(self, again: str = N_("Use the command again: /draw"), *, most: int = REMEMBERED) -> None:
        self._again = again
        self._most = most
        self._kept: OrderedDict[tuple[int, int], T] = OrderedDict()
        _MEMORIES.add(self)

    def forget(self, user_id: int) -> None:
        """Forget what belongs to a person."""
        for key in [key for key in self._kept if key[0] == user_id]:
            del self._kept[key]

    def keep(self, user_id: int, key: int, thing: T) -> None:
        """Keep ``thing`` in mind."""
        self._kept[user_id, key] = thing
        self._kept.move_to_end((user_id, key))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def find(self, user_id: int, key: str) -> T:
        """Return what was kept under an id's digits; raises ``GoneError`` in words."""
        found = self._kept.get((user_id, int(key) if key.isdecimal() else 0))
        if found is None:
            raise GoneError(N_("I no longer remember what this was."), self._again)
        return found

    def take(self, user_id: int, key: str) -> T:
        """Return the same and forget it, so that a second press does nothing twice."""
        found = self.find(user_id, key)
        del self._kept[user_id, int(key)]
        return found


_MEMORIES: WeakSet[Memory[Any]] = WeakSet()


def forget(user_id: int) -> None:
    """Forget what belongs to a person, wherever something is kept in mind."""
    for memory in _MEMORIES:
        memory.forget(user_id)
