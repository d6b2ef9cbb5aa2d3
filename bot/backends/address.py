"""``EASEL_BACKENDS``: which servers paint, where they are and how to be let in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

SKETCH_STEP_S = 0.15
"""Seconds the built-in painter takes for a step unless told otherwise."""
KINDS = ("webui", "sketch")


class AddressError(ValueError):
    """One plain sentence on what is wrong; it quotes nothing that could hold a password."""


@dataclass(frozen=True, slots=True)
class BackendAddress:
    """One backend: ``url`` never holds credentials; ``auth`` is user and password; ``step_s`` is sketch's."""

    kind: str
    name: str
    url: str = ""
    auth: tuple[str, str] | None = field(default=None, repr=False)
    step_s: float = SKETCH_STEP_S


def parse(text: str, auth: Mapping[int, str] | None = None) -> tuple[BackendAddress, ...]:
    """Read comma separated ``kind=address`` entries such as ``webui=http://user:pw@host:7860, sketch=0.2``.

    ``auth`` holds ``user:password`` by the entry's number, counted from 1 (``EASEL_BACKEND_<n>_AUTH``), and wins
    over what the address says. User and password in an address are percent-encoded. Raises ``AddressError``.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise AddressError("EASEL_BACKENDS names no backend; write for example webui=http://127.0.0.1:7860.")
    given = auth or {}
    stray = next((n for n in given if not 1 <= n <= len(entries)), None)
    if stray is not None:
        raise AddressError(f"EASEL_BACKEND_{stray}_AUTH belongs to no entry of EASEL_BACKENDS.")
    return tuple(_entries(entries, given))


def _entries(entries: list[str], auth: Mapping[int, str]) -> Iterator[BackendAddress]:
    kinds = [entry.partition("=")[0].strip().lower() for entry in entries]
    for n, (entry, kind) in enumerate(zip(entries, kinds, strict=True), start=1):
        where = f"EASEL_BACKENDS, entry {n}"
        address = entry.partition("=")[2].strip()
        if kind not in KINDS:
            raise AddressError(f"{where} must begin with a kind of backend: {' or '.join(KINDS)}.")
        if kind == "sketch":
            name = "sketch" if kinds.count("sketch") == 1 else f"sketch-{n}"
            yield BackendAddress(kind, name, step_s=_step_s(address, where))
            continue
        url, login = _url(address, where)
        if n in auth:
            login = _login(auth[n], n)
        yield BackendAddress(kind, f"{kind}-{n}", url, login)


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


def _url(address: str, where: str) -> tuple[str, tuple[str, str] | None]:
    try:
        parts = urlsplit(address)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise AddressError(f"{where} needs an address like http://127.0.0.1:7860.")
    if parts.query or parts.fragment:
        raise AddressError(f"{where}: an address takes no “?” or “#”; percent-encode them in a password.")
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
