"""Every picture's bytes as objects in a bucket of a server that speaks S3."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from bot.domain.ports import Clock
from bot.storage.blobs import BlobsAwayError, KeptBlobs, is_hash
from bot.storage.bucket import Bucket, BucketAwayError, BucketError

if TYPE_CHECKING:
    from obstore.store import S3Config

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5
MAX_RETRIES = 3
SWEEP_EVERY_S = 3600.0
"""A sweep lists the whole bucket, a thousand objects a call, and calls cost money: days need no look a minute."""
_PAGE = 1000
_FAILED = (BaseError, OSError, TimeoutError)
_DELETES = 8
"""Most objects that are deleted at once, one a call: not every server that speaks S3 deletes many by one."""
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_RIGHTS = "s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it"


class S3Blobs(KeptBlobs):
    """Objects ``<prefix>/abcd…``; others are left alone. Their age is of the last upload, by the server's clock.

    ``keys`` are an access key's id and secret, ``None`` where the machine has a role. ``timeout_s`` bounds every
    call, with all its tries.
    """

    def __init__(self, bucket: Bucket, keys: tuple[str, str] | None, clock: Clock, *, timeout_s: float) -> None:
        super().__init__(clock)
        self._bucket = bucket
        self._timeout_s = timeout_s
        self._swept_at = float("-inf")
        config: S3Config = {"bucket": bucket.name, "disable_bulk_delete": True}
        if keys is not None:
            config["access_key_id"], config["secret_access_key"] = keys
        if bucket.endpoint is not None:
            config["endpoint"] = bucket.endpoint
        if bucket.region is not None:
            config["region"] = bucket.region
        self._bucket_store = S3Store(
            prefix=bucket.prefix or None,
            config=config,
            client_options={
                "allow_http": (bucket.endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
                "timeout": timedelta(seconds=timeout_s),
            },
            retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=timeout_s)},
        )

    async def check(self) -> None:
        """Do all that is going to be done, in small; raises ``BucketError`` in words for the host."""
        name = f".check-{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(self._timeout_s):
                await obstore.put_async(self._bucket_store, name, b"easel", use_multipart=False)
                await obstore.get_async(self._bucket_store, name)
                await obstore.delete_async(self._bucket_store, name)
                await anext(obstore.list(self._bucket_store, chunk_size=1), None)
        except _FAILED as error:
            raise self._in_words(error) from error

    async def _store(self, blob: str, data: bytes) -> None:
        async with self._calling():
            await obstore.put_async(self._bucket_store, blob, data, use_multipart=False)

    async def _load(self, blob: str) -> bytes | None:
        try:
            async with self._calling():
                found = await obstore.get_async(self._bucket_store, blob)
                return bytes(await found.bytes_async())
        except _MissingError:
            return None

    async def _delete(self, blobs: Collection[str]) -> None:
        waiting = list(blobs)
        while waiting:
            these, waiting = waiting[:_DELETES], waiting[_DELETES:]
            for failed in await asyncio.gather(*map(self._delete_one, these), return_exceptions=True):
                if failed is not None:
                    raise failed

    async def _delete_one(self, blob: str) -> None:
        # Amazon's server says nothing of what is gone already; some others do.
        with suppress(_MissingError):
            async with self._calling():
                await obstore.delete_async(self._bucket_store, blob)

    async def _delete_older(self, before: float, keep: frozenset[str]) -> int:
        now = self._clock()
        if now - self._swept_at < SWEEP_EVERY_S:
            return 0
        gone = 0
        pages = obstore.list(self._bucket_store, chunk_size=_PAGE)
        while True:
            async with self._calling():
                page = await anext(pages, None)
            if page is None:
                break
            young = datetime.fromtimestamp(before, UTC)
            names = [each["path"] for each in page if each["last_modified"] < young]
            old = [name for name in names if is_hash(name) and name not in keep]
            await self._delete(old)
            gone += len(old)
        self._swept_at = now
        return gone

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[None]:
        """Bound a call, and turn what fails into ``_MissingError`` or ``BlobsAwayError``."""
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except _FAILED as error:
            # A bucket that is missing is answered by 404, too, and so is what a proxy does not know.
            if _code(error) == "NoSuchKey":
                raise _MissingError from error
            log.warning("bucket away", bucket=str(self._bucket), reason=_reason(error))
            raise BlobsAwayError from error

    def _in_words(self, error: Exception) -> BucketError:
        where = f"EASEL_BLOBS: {self._bucket} at {self._bucket.endpoint or 'Amazon S3'}"
        found = _STATUS.search(str(error))
        match found and int(found[1]):
            case 401 | 403:
                return BucketError(
                    f"{where} refuses the key ({_reason(error)}). Look at AWS_ACCESS_KEY_ID and "
                    f"AWS_SECRET_ACCESS_KEY, and give the key its rights: {_RIGHTS}."
                )
            case 404:
                return BucketError(
                    f"{where} is not there ({_reason(error)}). Make the bucket, or mend the address."
                )
        return BucketAwayError(
            f"{where} cannot be reached ({_reason(error)}). Check that it runs, that this machine gets there, and "
            "that endpoint, region and AWS_ACCESS_KEY_ID are right."
        )


class _MissingError(Exception):
    """There is no such object."""


def _code(error: Exception) -> str | None:
    """Return what S3 calls it, such as ``NoSuchKey`` (Amazon S3, Error responses)."""
    found = _CODE.search(str(error))
    return found[1] if found else None


def _reason(error: Exception) -> str:
    """Return a few words, without all else that the library tells of its calls."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return _code(error) or str(error).partition("\n")[0].rpartition(" - ")[2][:200]
