"""Shards: the part of all servers that one connection to Discord's gateway tells of."""

import re
from dataclasses import dataclass
from math import gcd
from typing import Self

_WRITTEN = re.compile(r"(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?/(?P<count>[0-9]{1,5})")
_TIME_SHIFT = 22


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards ``ids`` of ``count`` in all, those that one process connects."""

    ids: range
    count: int

    @classmethod
    def all(cls, count: int) -> Self:
        """Return all of ``count`` shards."""
        return cls(range(count), count)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``first-last/count``, or ``one/count``; raises ``ValueError`` whose words are for the host."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text} is not like 0-1/4: the first and the last shard, and how many there are.")
        first, count = int(found["first"]), int(found["count"])
        last = first if found["last"] is None else int(found["last"])
        if first > last:
            raise ValueError(f"{text} ends before it begins; perhaps {last}-{first}/{count}.")
        if last >= count:
            reach = f"{count} shards are 0 to {count - 1}" if count else "there must be at least one shard"
            raise ValueError(f"{text} has no shard {last}: {reach}.")
        return cls(range(first, last + 1), count)

    @property
    def whole(self) -> bool:
        """Whether no other process has a share."""
        return len(self.ids) == self.count

    def owns(self, guild_id: int | None) -> bool:
        """Return whether Discord tells these shards what happens in a server.

        ``None`` stands for all that is in no server, direct messages above all: shard 0 is told of that
        (Discord docs, Gateway, Sharding).
        """
        return ((guild_id or 0) >> _TIME_SHIFT) % self.count in self.ids

    def overlaps(self, other: Self) -> bool:
        """Return whether there can be a server that both are told of, be they of as many shards or not."""
        rest = gcd(self.count, other.count)
        return not {each % rest for each in self.ids}.isdisjoint(each % rest for each in other.ids)

    def __str__(self) -> str:
        return f"{self.ids[0]}-{self.ids[-1]}/{self.count}"


NONE = Shards(range(0), 1)
"""No shard: a process without a gateway."""
