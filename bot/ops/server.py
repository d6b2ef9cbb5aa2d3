"""``/metrics``, ``/healthz`` and ``/readyz``, for whoever runs the bot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bot import __version__
from bot.domain.breaker import Condition
from bot.domain.ports import Clock
from bot.ops.exporting import METRICS_CURE
from bot.ops.snapshot import Asking, Exporter, Snapshot
from bot.storage.gauges import Queue

log = structlog.get_logger(__name__)

Address = tuple[str, int]
Check = Callable[[], Awaitable[str | None]]
"""Returns why something is not ready, ``None`` if it is."""

ANSWER_S = 2.0
"""Within this bound everything is answered, whatever hangs."""
NO_EXTRA = f"The extra “metrics” is missing: {METRICS_CURE}, then start again."
_CLOSE_S = 1.0


class AddressTakenError(Exception):
    """Nobody can listen at the address; the words are for the host."""


class Server:
    """Answers about this process: ``queue`` and the ``checks`` are asked at that moment, within ``ANSWER_S``."""

    def __init__(
        self,
        exporter: Exporter | None,
        queue: Callable[[], Awaitable[Queue]],
        backends: Callable[[], Mapping[str, Condition]],
        checks: Mapping[str, Check],
        clock: Clock,
    ) -> None:
        self._exporter = exporter
        self._queue = Asking(queue, ANSWER_S)
        self._backends = backends
        self._checks = {name: Asking(check, ANSWER_S) for name, check in checks.items()}
        self._clock = clock

    @asynccontextmanager
    async def listening(self, address: Address) -> AsyncIterator[None]:
        """Answer at ``address`` while the context is open; raises ``AddressTakenError``."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _health)
        app.router.add_get("/readyz", self._readiness)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_S)
        await runner.setup()
        try:
            await _listen(runner, address)
            yield
        finally:
            await runner.cleanup()
            await asyncio.gather(self._queue.close(), *(check.close() for check in self._checks.values()))

    async def _metrics(self, _: web.Request) -> web.Response:
        if self._exporter is None:
            return web.Response(status=HTTPStatus.NOT_IMPLEMENTED, text=f"{NO_EXTRA}\n")
        queue, checks = await asyncio.gather(self._stood(), self._checked())
        page = self._exporter.render(Snapshot(self._clock(), queue, self._backends(), checks))
        return web.Response(body=page, headers={"Content-Type": self._exporter.media_type})

    async def _readiness(self, _: web.Request) -> web.Response:
        checks = await self._checked()
        ready = not any(checks.values())
        told = {name: {"ok": reason is None, "reason": reason} for name, reason in checks.items()}
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return web.json_response({"ready": ready, "checks": told}, status=status)

    async def _stood(self) -> Queue | None:
        try:
            return await self._queue.answer()
        except Exception as error:  # noqa: BLE001 - the other numbers are told all the same
            log.warning("queue not read for the metrics", reason=type(error).__name__)
            return None

    async def _checked(self) -> dict[str, str | None]:
        reasons = await asyncio.gather(*(_reason(asking) for asking in self._checks.values()))
        return dict(zip(self._checks, reasons, strict=True))


async def _listen(runner: web.AppRunner, address: Address) -> None:
    try:
        await web.TCPSite(runner, *address).start()
    except OSError as error:
        raise AddressTakenError(refusal(address, error)) from error
    log.info("metrics and health", host=address[0], port=address[1])


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"easel": __version__})


async def _reason(check: Asking[str | None]) -> str | None:
    try:
        return await check.answer()
    except TimeoutError:
        return f"no answer within {ANSWER_S:g} s"
    except Exception as error:  # noqa: BLE001 - its words may hold an address with a password
        return f"failed: {type(error).__name__}"


def refusal(address: Address, error: OSError) -> str:
    """Return what is wrong with an address that nobody can listen at, and the cure."""
    host, port = address
    return (
        f"EASEL_METRICS: nothing can listen at {host}:{port} ({error.strerror or type(error).__name__}). "
        "Choose another port, or an address of this machine."
    )


async def obstacle(address: Address) -> str | None:
    """Return why nobody can listen at an address; ``None`` if it is free, or an Easel answers there already."""
    try:
        listener = await asyncio.start_server(lambda *_: None, *address)
    except OSError as error:
        return None if await _is_easel(address) else refusal(address, error)
    listener.close()
    await listener.wait_closed()
    return None


async def _is_easel(address: Address) -> bool:
    host, port = address
    url = f"http://[{host}]:{port}/healthz" if ":" in host else f"http://{host}:{port}/healthz"
    try:
        async with ClientSession(timeout=ClientTimeout(total=ANSWER_S)) as session, session.get(url) as answer:
            return "easel" in await answer.json()
    except (ClientError, OSError, ValueError, TypeError):
        return False
