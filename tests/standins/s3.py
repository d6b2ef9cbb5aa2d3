"""A stand-in for a server that speaks S3: one bucket in memory, path style, as the API reference has it.

It looks at who signs and at what was signed of the body; the signature itself it believes.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from aiohttp import web

BUCKET = "pictures"
KEYS = ("AKIAEASELEXAMPLE", "a-secret-of-the-bucket")
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/[\w-]+/s3/aws4_request, ?"
    r"SignedHeaders=[\w;-]+, ?Signature=[0-9a-f]{64}"
)


class StandInS3:
    """The server. ``objects`` are bytes and unix times by key; ``clock`` gives the times.

    ``ails`` is the status of every answer, ``denied`` has methods that the key has no right to, and
    ``unlisted`` takes the right to list, ``stalls`` keeps
    answers back for good; ``page`` is the most objects that one listing names;
    ``strict`` answers 404 where there is nothing to delete, as some of its kind do. What is noticed: ``calls``.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.bucket = BUCKET
        self.ails: tuple[int, str] | None = None
        self.denied: frozenset[str] = frozenset()
        self.stalls = False
        self.page = 1000
        self.strict = False
        self.unlisted = False
        self.calls: list[str] = []
        self.arrived = asyncio.Event()
        self._gone = asyncio.Event()
        self._clock = clock
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{bucket}", self._answer)
        app.router.add_route("*", "/{bucket}/{key:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.set()
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """What ``EASEL_BLOBS`` is set to."""
        return f"s3://{BUCKET}/easel?endpoint={self.url}&region=eu-test-1"

    async def _answer(self, request: web.Request) -> web.Response:
        self.calls.append(f"{request.method} {request.path}")
        self.arrived.set()
        body = await request.read()
        if self.stalls:
            await self._gone.wait()
            return _failed(503, "SlowDown")
        if self.ails is not None:
            return _failed(*self.ails)
        refusal = _refusal(request, body)
        if refusal or request.method in self.denied:
            return _failed(403, refusal or "AccessDenied")
        if request.match_info["bucket"] != self.bucket:
            return _failed(404, "NoSuchBucket")
        key = request.match_info.get("key", "")
        if key:
            return self._object(request.method, key, body)
        return _failed(403, "AccessDenied") if self.unlisted else self._list(request)

    def _object(self, method: str, key: str, body: bytes) -> web.Response:
        if method == "PUT":
            self.objects[key] = (body, self._clock())
            return web.Response(headers={"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})
        if method == "DELETE" and (key in self.objects or not self.strict):
            self.objects.pop(key, None)
            return web.Response(status=204)
        if key not in self.objects:
            return _failed(404, "NoSuchKey")
        data, put_at = self.objects[key]
        modified = datetime.fromtimestamp(put_at, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return web.Response(body=data, headers={"Last-Modified": modified, "ETag": '"e"'})

    def _list(self, request: web.Request) -> web.Response:
        """Answer ``ListObjectsV2``."""
        asked = request.query
        after = asked.get("continuation-token", "")
        keys = sorted(key for key in self.objects if key.startswith(asked.get("prefix", "")) and key > after)
        shown, more = keys[: self.page], keys[self.page :]
        contents = "".join(self._entry(key) for key in shown)
        token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        return _xml(
            f"<ListBucketResult><Name>{self.bucket}</Name><KeyCount>{len(shown)}</KeyCount>"
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{contents}</ListBucketResult>"
        )

    def _entry(self, key: str) -> str:
        data, put_at = self.objects[key]
        modified = datetime.fromtimestamp(put_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return (
            f"<Contents><Key>{escape(key)}</Key><LastModified>{modified}</LastModified><ETag>e</ETag>"
            f"<Size>{len(data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )


def _refusal(request: web.Request, body: bytes) -> str | None:
    signed = _SIGNED.fullmatch(request.headers.get("Authorization", ""))
    if signed is None:
        return "AccessDenied"
    if signed["key"] != KEYS[0]:
        return "InvalidAccessKeyId"
    digest = request.headers.get("x-amz-content-sha256")
    return None if digest == hashlib.sha256(body).hexdigest() else "XAmzContentSHA256Mismatch"


def _failed(status: int, code: str) -> web.Response:
    return _xml(f"<Error><Code>{code}</Code><Message>so it is</Message></Error>", status)


def _xml(text: str, status: int = 200) -> web.Response:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return web.Response(text=head + text, status=status, content_type="application/xml")
