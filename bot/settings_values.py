"""Values of settings as a host writes them, read and checked; what is wrong is said in words."""

import re
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from bot.storage.bucket import Bucket

_DSN = re.compile(r"https?://[0-9A-Za-z]+(:[0-9A-Za-z]+)?@[^/@\s:?#]+(:[0-9]{1,5})?(/[^/\s?#]+)*/[0-9]+")
_HIGHEST_PORT = 65535


def listed(value: object) -> object:
    """Split at commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def http(value: str) -> str:
    """Check an address of the web, without a password in it."""
    if not value.startswith(("https://", "http://")):
        raise ValueError("it must start with https:// or http://")
    if "@" in value:
        raise ValueError("it cannot hold a user and password")
    return value.rstrip("/")


def bucket(value: object) -> object:
    """Read the address of a bucket; empty is ``None``."""
    return Bucket.parse(value) if isinstance(value, str) else value


def link(value: str) -> str:
    """Check the same, or nothing."""
    return http(value) if value else ""


def upper(value: object) -> object:
    """Write in capitals."""
    return value.upper() if isinstance(value, str) else value


def switch(value: object) -> object:
    """Read on or off."""
    switched = {"on": True, "off": False}.get(value.casefold()) if isinstance(value, str) else value
    if not isinstance(switched, bool):
        raise ValueError("it must be on or off")  # noqa: TRY004 - pydantic tells of no other
    return switched


def listening(value: object) -> object:
    """Read ``host:port``, or ``[host]:port``, into a pair; empty is ``None``."""
    if not isinstance(value, str):
        return value
    host, _, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(
            "it must be an address and a port to listen at, such as 127.0.0.1:9464; 0.0.0.0:9464 is for other "
            "machines too"
        )
    return host, int(port)


def dsn(value: SecretStr) -> SecretStr:
    """Check that it looks like a project's address at Sentry."""
    if not value.get_secret_value():
        return value
    if not _DSN.fullmatch(value.get_secret_value()):
        raise ValueError(
            "it must be a project's DSN, such as https://key@o1.ingest.sentry.io/42; Sentry shows it in the "
            "project's settings, Client Keys"
        )
    return value


def database(value: SecretStr) -> SecretStr:
    """Check that it names a kind of database that Easel keeps its memory in."""
    known = ("sqlite:///", "postgresql://", "postgres://")
    address = value.get_secret_value()
    if address and not address.startswith(known):
        raise ValueError("it must be like sqlite:///path or postgresql://user:password@host/name, or left out")
    if address.startswith(known[1:]) and _is_misread(address):
        raise ValueError(
            "it must be like postgresql://user:password@host:5432/name; in a password @ is written %40, : %3A, "
            "/ %2F, ? %3F, # %23 and % itself %25"
        )
    return value


def _is_misread(address: str) -> bool:
    """Return whether a part of the password would be taken for another part of the address, and be shown."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return True
    rest = parts.path + parts.query + parts.fragment
    return parts.netloc.count("@") > 1 or "@" in rest


def password(address: str) -> str:
    """Return the password that an address holds; empty if none."""
    return unquote(urlsplit(address).password or "")
