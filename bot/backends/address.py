"""``EASEL_BACKENDS``: which servers paint, where they are and how to be let in."""

import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SKETCH_STEP_S = 0.15
"""Seconds the built-in painter takes for a step unless told otherwise."""
KINDS = ("webui", "comfyui", "diffusers", "sketch")
MAX_SLOTS = 16
_DEVICE = re.compile(r"cpu|mps|cuda(?::\d+)?")
NONE = "none"
"""What ``EASEL_BACKENDS`` says where others paint."""
_ODD = re.compile(r"[^a-z0-9._-]+", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.IGNORECASE)


class AddressError(ValueError):
    """One plain sentence on what is wrong; it quotes nothing that could hold a password."""


@dataclass(frozen=True, slots=True)
class BackendAddress:
    """One backend: ``url`` never holds credentials; ``auth`` is user and password.

    ``slots`` is how many jobs it is given at once; ``ca`` a file of certificates to trust beside the known ones.
    ``step_s`` is sketch's time for a step in seconds. ``source`` is what diffusers loads (a hub's id, a folder or
    a file), on ``device``, keeping models of at most ``cache_gb`` GiB in memory. ``number`` is its entry's in
    ``EASEL_BACKENDS``, from 1.
    """

    kind: str
    name: str
    url: str = ""
    auth: tuple[str, str] | None = field(default=None, repr=False)
    slots: int = 1
    ca: Path | None = None
    step_s: float = SKETCH_STEP_S
    source: str = ""
    device: str | None = None
    cache_gb: float = 8.0
    number: int = 1


def parse(text: str, auth: Mapping[int, str] | None = None, *, node: str = "") -> tuple[BackendAddress, ...]:
    """Read comma separated entries such as ``webui=http://user:pw@gpu1:7860 name=gpu1 slots=2, sketch=0.2``.

    ``none`` alone is no entry. ``node`` goes before names that nobody chose (``gpu1/webui``): those of all
    processes stand in one list.

    An entry is ``kind=address``, then options: ``name`` and ``slots`` for every kind, ``ca`` for servers,
    ``device`` and ``cache_gb`` for diffusers. ``auth`` holds ``user:password`` by the entry's number, counted
    from 1 (``EASEL_BACKEND_<n>_AUTH``), and wins over what the address says. User and password in an address are
    percent-encoded. Raises ``AddressError``.
    """
    nobody = text.strip().lower() == NONE
    entries = [] if nobody else [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries and not nobody:
        raise AddressError("EASEL_BACKENDS names no backend; write for example webui=http://127.0.0.1:7860.")
    given = auth or {}
    # Who has no backends may share the settings of those who have.
    stray = None if nobody else next((n for n in given if not 1 <= n <= len(entries)), None)
    if stray is not None:
        raise AddressError(f"EASEL_BACKEND_{stray}_AUTH belongs to no entry of EASEL_BACKENDS.")
    addresses = tuple(_entries(entries, given, node))
    twice = next((name for name, count in Counter(a.name for a in addresses).items() if count > 1), None)
    if twice is not None:
        raise AddressError(f"EASEL_BACKENDS names two backends {twice}; every name can stand once.")
    return addresses


def _entries(entries: list[str], auth: Mapping[int, str], node: str) -> Iterator[BackendAddress]:
    heads = [_SPLIT.split(entry) for entry in entries]
    kinds = [head.partition("=")[0].strip().lower() for head, *_ in heads]
    for n, ((head, *options), kind) in enumerate(zip(heads, kinds, strict=True), start=1):
        where = f"EASEL_BACKENDS, entry {n}"
        if kind not in KINDS:
            raise AddressError(f"{where} must begin with a kind of backend: {', '.join(KINDS)}.")
        place = head.partition("=")[2].strip()
        chosen = {"number": n, **dict(_option(option, kind, where) for option in options)}
        alone = kinds.count(kind) == 1 and (kind == "sketch" or bool(node))
        name = chosen.pop("name", _at(node) + (kind if alone else f"{kind}-{n}"))
        if kind == "sketch":
            yield BackendAddress(kind, name, step_s=_step_s(place, where), **chosen)
        elif kind == "diffusers":
            yield BackendAddress(kind, name, source=_source(place, where), **chosen)
        else:
            url, login = _url(place, where)
            yield BackendAddress(kind, name, url, _login(auth[n], n) if n in auth else login, **chosen)


def _at(node: str) -> str:
    """Return how names of a process begin: in lanes and notices “+” and spaces mean something else."""
    return f"{_ODD.sub('-', node)[:32]}/" if node else ""


def _named(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("letters, digits, “-” and “_”, at most 32")
    return text


def _within(low: float, high: float, number: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = number(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return read


def _device(text: str) -> str:
    if not _DEVICE.fullmatch(text):
        raise ValueError("cpu, mps, cuda or, of several cards, cuda:1")
    return text


def _file(text: str) -> Path:
    path = Path(text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        raise ValueError("a file of certificates (PEM) that can be read") from None
    return path


_OPTIONS: Mapping[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "name": (_named, KINDS),
    "slots": (_within(1, MAX_SLOTS, int), KINDS),
    "ca": (_file, ("webui", "comfyui")),
    "device": (_device, ("diffusers",)),
    "cache_gb": (_within(0, 1000, float), ("diffusers",)),
}
"""How each option of an entry is read, and the kinds that have it."""
_SPLIT = re.compile(rf"\s+(?=(?:{'|'.join(_OPTIONS)})=)")


def _option(text: str, kind: str, where: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    read, kinds = _OPTIONS[name]
    if kind not in kinds:
        raise AddressError(f"{where}: {kind} has no option {name}.")
    try:
        return name, read(value.strip())
    except ValueError as error:
        raise AddressError(f"{where}: {name} must be {error}.") from None


def _step_s(text: str, where: str) -> float:
    if not text:
        return SKETCH_STEP_S
    try:
        step_s = float(text)
    except ValueError:
        step_s = -1.0
    if not 0 <= step_s <= 60:  # noqa: PLR2004 - a minute a step is a model's pace, not a rehearsal's
        raise AddressError(f"{where}: sketch takes the seconds per step, a number from 0 to 60.")
    return step_s


def _source(text: str, where: str) -> str:
    if not text:
        raise AddressError(f"{where}: diffusers takes a hub's id, a folder or a .safetensors file.")
    return text


def _url(address: str, where: str) -> tuple[str, tuple[str, str] | None]:
    if "?" in address or "#" in address:
        raise AddressError(f"{where}: an address takes no “?” or “#”; percent-encode them in a password.")
    try:
        parts = urlsplit(address)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or re.search(r"\s", address):
        raise AddressError(f"{where} needs an address like http://127.0.0.1:7860; only options may follow it.")
    host = parts.netloc.rpartition("@")[2]
    login = None
    if parts.username is not None:
        login = (unquote(parts.username), unquote(parts.password or ""))
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}", login


def _login(text: str, n: int) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise AddressError(f"EASEL_BACKEND_{n}_AUTH must read user:password.")
    return user, password
