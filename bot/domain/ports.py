"""The outside as the services see it: Protocols and the plain values that cross them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.capability import Capabilities
from bot.domain.job import Job
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.domain.roster import Roll, Standing
from bot.domain.shards import Shards
from bot.domain.snippets import Snippet

Clock = Callable[[], float]
"""Unix seconds; passed in so that tests own the time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is: ``fraction`` 0–1, ``eta_s`` seconds left, ``preview`` an encoded picture."""

    fraction: float
    step: int = 0
    steps: int = 0
    eta_s: float | None = None
    preview: bytes | None = field(default=None, repr=False)


def unheard(_: Progress) -> None:
    """Take no notice of how far a job is."""


@dataclass(frozen=True, slots=True)
class Painted:
    """One picture in memory, exactly as the backend encoded it; sizes in px."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    seed: int
    infotext: str = ""


@dataclass(frozen=True, slots=True)
class Painting:
    """A backend's whole answer to one request; ``caption`` is what it said of a picture."""

    pictures: tuple[Painted, ...]
    seconds: float
    model: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    notes: tuple[str, ...] = ()
    caption: str | None = None


class Answer(Protocol):
    """A finished paint request: its server is free again, its pictures may still have to be brought home."""

    async def painting(self) -> Painting:
        """Fetch and decode the pictures; called once. Raises ``BackendError``."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer whose pictures are here already."""

    done: Painting

    async def painting(self) -> Painting:
        """Return them."""
        return self.done


class Backend(Protocol):
    """A server that paints. Every call has a timeout and raises only ``BackendError`` (or is cancelled).

    What its ``capabilities`` lack is refused with ``RejectedError``.
    """

    @property
    def name(self) -> str:
        """Short name for people and logs, without address or credentials."""

    @property
    def slots(self) -> int:
        """How many jobs it runs at once."""

    async def capabilities(self) -> Capabilities:
        """Ask for its lists."""

    async def health(self) -> None:
        """Return if it can take work; raise the ``BackendError`` that says why not."""

    async def generate(
        self,
        request: PaintRequest,
        *,
        task: str,
        images: Mapping[str, bytes],
        on_progress: Callable[[Progress], None],
    ) -> Answer:
        """Paint ``request`` and return as soon as the server is free for the next.

        ``task`` is our own id for it; ``images`` holds the encoded pictures of ``request.images()`` by their
        hash. Cancelling the call interrupts the server, and only this task there.
        """

    async def upscale(
        self,
        request: UpscaleRequest,
        picture: bytes,
        *,
        task: str,
        on_progress: Callable[[Progress], None] = unheard,
    ) -> Painted:
        """Return a larger copy of an encoded picture; not every server tells how far it is."""

    async def interrogate(self, picture: bytes, model: str | None = None) -> str:
        """Describe an encoded picture in words, by one of its interrogators."""

    async def cut_out(self, picture: bytes, model: str | None = None) -> Painted:
        """Return an encoded picture without its background, as PNG, by one of its cutters."""

    async def refresh(self) -> None:
        """Have the server look for new files in its folders."""

    async def resume(
        self, request: PaintRequest, *, task: str, on_progress: Callable[[Progress], None]
    ) -> Answer | None:
        """Return the answer to ``task``, sent in an earlier life of ours, once it is there.

        ``None``: the server does not know it any more, or cannot give answers a second time; then it is made
        sure that it no longer works on it.
        """

    async def abandon(self, request: PaintRequest, *, task: str) -> None:
        """Let go of ``task``, which another backend has taken over: it leaves the line here, or is stopped.

        No other job is touched, and a server that cannot tell its jobs apart is left alone.
        """

    async def close(self) -> None:
        """Free its connections."""


class Classifier(Protocol):
    """A model that says what is on pictures."""

    async def scores(self, pictures: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        """Return how sure it is (0–1) of each label, picture by picture; raises ``BackendError``."""

    async def close(self) -> None:
        """Free what it holds."""


class Blobs(Protocol):
    """Every picture's bytes, by the hash of the bytes."""

    async def put(self, data: bytes) -> str:
        """Store ``data`` durably and return its hash; the same bytes twice are one blob, as young as the last.

        Raises ``AwayError`` while the store cannot be reached.
        """

    async def get(self, blob: str) -> bytes:
        """Return the bytes; raises ``GoneError`` if they are no longer kept, ``AwayError`` as ``put`` does."""


class BlobStore(Blobs, Protocol):
    """The same for whoever has to delete, too; several processes may do so at once."""

    async def remove(self, blobs: Collection[str]) -> None:
        """Delete these, whatever their age."""

    async def sweep(self, older_than_s: float, keep: Collection[str] = ()) -> int:
        """Delete what was put more than ``older_than_s`` ago, but for ``keep``; return how many went."""


class SettingsStore(Protocol):
    """Settings: ``scope`` says whose they are, of servers, channels or persons; values are JSON scalars."""

    async def load(self, scope: str, owner: int) -> Mapping[str, object]:
        """Return what was set; empty if nothing."""

    async def save(
        self, scope: str, owner: int, values: Mapping[str, object], guild_id: int | None = None
    ) -> None:
        """Replace what was set; ``guild_id`` is the server that a channel belongs to."""

    async def alter(self, scope: str, owner: int, changes: Mapping[str, object]) -> Mapping[str, object]:
        """Change some of what was set, as several processes may at once; return all. ``None`` takes one back."""

    async def save_all(self, guild_id: int, changed: Mapping[tuple[str, int], Mapping[str, object]]) -> None:
        """Replace what a server and its channels set, by scope and owner: all of it or nothing."""

    async def channels(self, guild_id: int) -> Mapping[int, Mapping[str, object]]:
        """Return what a server's channels set, by their ids."""


class SnippetStore(Protocol):
    """What servers and persons keep by name."""

    async def load(self, scope: str, owner: int) -> tuple[Snippet, ...]:
        """Return all that a server or a person keeps."""

    async def samples(self) -> frozenset[str]:
        """Return the blobs of all cards' sample pictures."""

    async def save(self, snippet: Snippet, *, instead_of: str | None = None) -> None:
        """Keep ``snippet``, in place of the one that was called ``instead_of``."""

    async def delete(self, snippet: Snippet) -> None:
        """Forget ``snippet``."""


class RosterStore(Protocol):
    """What the processes of one installation tell each other of their backends; a process is a numbered node."""

    async def publish(self, node: int, own: Mapping[str, Standing], lists: Mapping[str, Capabilities]) -> None:
        """Tell how some of a node's backends are, and what those in ``lists`` have.

        What a backend of that name had in an earlier life stays until it tells anew. Raises ``TakenError`` for
        the name of a backend of another node that lives; then nothing is told.
        """

    async def read(self, known: Mapping[str, str]) -> Roll:
        """Return all there are; lists only of those that are not in ``known``, or there by another mark."""

    async def forget(self, names: Sequence[str]) -> None:
        """Forget those of these backends whose node is dead."""


class ShardStore(Protocol):
    """Which process has which of Discord's shards."""

    async def claim(self, shards: Shards) -> None:
        """Have ``shards``, or have them still; raises ``TakenError`` where another process that lives has one."""


class Announcer(Protocol):
    """Whoever shows people what becomes of jobs. Calls return at once and never raise."""

    def changed(self, job: Job) -> None:
        """Tell that the job has entered the state it now has."""

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Tell that the running job got this far."""
