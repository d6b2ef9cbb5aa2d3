"""Addresses of buckets: ``EASEL_BLOBS`` as the host writes it."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

EXAMPLE = "s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Amazon S3, Bucket naming rules."""
_OPTIONS = frozenset({"endpoint", "region"})


class BucketError(Exception):
    """The bucket cannot be used until the host has mended something; the words say what."""


class BucketAwayError(BucketError):
    """The bucket cannot be reached; it may be there later."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where pictures are kept at a server that speaks S3: Amazon's if there is no ``endpoint``."""

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``s3://bucket/prefix?endpoint=…&region=…``; raises ``ValueError`` in words."""
        address = urlsplit(text)
        if address.scheme != "s3":
            raise ValueError(f"it must be the address of a bucket, such as {EXAMPLE}")
        if "@" in address.netloc:
            raise ValueError("it cannot hold keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        if not _NAME.fullmatch(address.netloc):
            raise ValueError("a bucket's name has 3 to 63 small letters, digits, dots and hyphens")
        options = dict(parse_qsl(address.query, keep_blank_values=True))
        if unknown := sorted(options.keys() - _OPTIONS):
            raise ValueError(f"it has no option {unknown[0]}; there are endpoint and region")
        endpoint = options.get("endpoint", "").rstrip("/") or None
        if endpoint and not re.fullmatch(r"https?://[^/@?#\s]+(/[^@?#\s]*)?", endpoint):
            raise ValueError("its endpoint must be an address without keys, such as https://s3.example.org")
        return cls(address.netloc, unquote(address.path).strip("/"), endpoint, options.get("region") or None)

    def __str__(self) -> str:
        """Give what the host may be shown."""
        return f"s3://{self.name}/{self.prefix}".rstrip("/")
