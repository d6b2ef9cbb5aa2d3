"""Which addresses are anybody's to ask, and which links are plain enough to be followed."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

from bot.domain.errors import RequestError
from bot.domain.text import N_

MAX_LENGTH = 2000
"""Characters of a link that is followed."""

_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            # IANA IPv4 Special-Purpose Address Registry, with multicast (RFC 5771) and class E (RFC 1112).
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            # Azure's wire server looks public and answers to virtual machines only.
            "168.63.129.16/32",
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out so far: mapped, compatible, NAT64, local and multicast addresses lie outside."""
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            # IANA IPv6 Special-Purpose Address Registry: Teredo and other protocols, documentation, 6to4, AS112.
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""The first half of an interface's name that ends in an IPv4 address (RFC 5214)."""

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_LINK = re.compile(
    rf"https://(?P<host>(?:{_LABEL}\.)+(?=[a-z]){_LABEL})(?::443)?(?P<rest>(?:[/?#].*)?)", re.IGNORECASE | re.ASCII
)
"""One spelling of a host: a name in ASCII whose last label begins with a letter. No address has one."""
_LONGEST_NAME = 253
_ODD = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_public(address: str) -> bool:
    """Return whether ``address`` is one that belongs to the open internet and to no network of our own."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    match ip:
        case IPv4Address():
            return not any(ip in network for network in _NOT_PUBLIC)
        case IPv6Address():
            embedded = (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP
            listed = any(ip in network for network in _NOT_PUBLIC_V6)
            return ip in _GLOBAL_UNICAST and not embedded and not listed


def link(text: str) -> URL:
    """Return the address of a link that can be followed: https, port 443, a host's name, no user or password.

    Raises ``RequestError`` in words for everything else.
    """
    found = _LINK.fullmatch(text)
    if found is None or _ODD.search(text) or len(text) > MAX_LENGTH or len(found["host"]) > _LONGEST_NAME:
        raise _not_followed()
    host, rest = found["host"].lower(), found["rest"]
    try:
        # As it was written: a signature in it may cover every sign.
        url = URL(f"https://{host}{rest}", encoded=rest.isascii())
    except ValueError as error:
        raise _not_followed() from error
    # Whoever is asked must be who was looked at, however the two parsers differ.
    if (url.scheme, url.raw_host, url.port, url.raw_user, url.raw_password) != ("https", host, 443, None, None):
        raise _not_followed()
    return url.with_fragment(None)


def _not_followed() -> RequestError:
    return RequestError(
        N_("I cannot follow that link."),
        N_("Give one that begins with https:// and a site's name, or attach the picture itself."),
    )
