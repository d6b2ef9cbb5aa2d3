"""The door of the REST API: reads a request, lets faults befall it, checks token and rate, plays it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from bot.rehearsal import errors, ratelimits
from bot.rehearsal.errors import ApiError
from bot.rehearsal.faults import Do, Fault
from bot.rehearsal.forms import Upload
from bot.rehearsal.rest import channels, commands, interactions, reactions, users
from bot.rehearsal.rest.table import Route
from bot.rehearsal.stage import Call, Exchange, Stage

PREFIX = "/api/v10"
ROUTES = [
    *users.table.routes,
    *commands.table.routes,
    *interactions.table.routes,
    *channels.table.routes,
    *reactions.table.routes,
]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def install(app: web.Application, stage: Stage) -> None:
    """Add every route that is played, and one that refuses all others by name."""
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, _handler(stage, route))
    app.router.add_route("*", PREFIX + "/{rest:.*}", _handler(stage, None))


def _handler(stage: Stage, route: Route | None) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        at = stage.clock()
        body, files, problem = await _read(request)
        path = request.path.removeprefix(PREFIX)
        exchange = Exchange(
            method=request.method,
            route=route.path if route else path,
            path=path,
            query=dict(request.query),
            body=body,
            files=[(file.filename, len(file.data)) for file in files],
            at=at,
        )
        stage.requests.append(exchange)
        fault = stage.faults.next(request.method, path)
        if fault is not None and fault.do is Do.DELAY:
            await asyncio.sleep(fault.seconds)
            fault = None
        if fault is not None and not fault.after:
            return _strike(fault, request, stage, exchange)
        call = Call(dict(request.match_info), exchange.query, body if body is not None else {}, files)
        headers, answer, status = _play(stage, route, request, call, problem)
        if fault is not None:
            return _strike(fault, request, stage, exchange)
        return _answer(stage, exchange, status, answer, headers)

    return handle


def _play(
    stage: Stage, route: Route | None, request: web.Request, call: Call, problem: ApiError | None
) -> tuple[dict[str, str], Any, int]:
    """Check token and rate, then play the route; return headers, answer and status."""
    headers: dict[str, str] = {}
    try:
        if route is None:
            words = f"The stand-in does not play {request.method} {request.path}."
            stage.unplayed.append(stage.requests[-1])
            raise ApiError(501, 0, words)  # noqa: TRY301 - one way out for every refusal
        if not route.by_token and request.headers.get("Authorization") != f"Bot {stage.token}":
            raise errors.unauthorized()
        verdict = stage.rate_limits.take(route.method, route.path, call.params, counts_globally=not route.by_token)
        headers = verdict.headers
        if verdict.refusal is not None:
            return headers, verdict.refusal, 429
        if problem is not None:
            raise problem
        answer = route.play(stage, call)
    except ApiError as error:
        return headers | error.headers, error.json(), error.status
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        stage.unplayed.append(stage.requests[-1])
        words = f"The stand-in could not make sense of {request.method} {request.path}: {error!r}"
        return headers, {"message": words, "code": 0}, 501
    return headers, answer, 204 if answer is None else 200


def _strike(fault: Fault, request: web.Request, stage: Stage, exchange: Exchange) -> web.StreamResponse:
    if fault.do is Do.CUT:
        if request.transport is not None:
            request.transport.abort()
        return _answer(stage, exchange, 0, None, {})
    if fault.do is Do.RATE_LIMIT:
        scope = {"X-RateLimit-Scope": fault.scope}
        if fault.scope == "global":
            scope["X-RateLimit-Global"] = "true"
        headers, body = ratelimits.refusal(fault.seconds, scope)
        return _answer(stage, exchange, 429, body, headers)
    words = {"message": f"{fault.status}: ordered by the rehearsal", "code": fault.code}
    return _answer(stage, exchange, fault.status, words, {})


def _answer(stage: Stage, exchange: Exchange, status: int, answer: Any, headers: dict[str, str]) -> web.Response:
    exchange.status, exchange.answer = status, answer
    for hook in stage.on_request:
        hook(exchange)
    stage.bus.touch()
    if answer is None:
        return web.Response(status=status or 500, headers=headers)
    text = json.dumps(answer).encode()  # as bytes: discord.py knows JSON by a content type without a charset
    return web.Response(body=text, status=status, headers=headers, content_type="application/json")


async def _read(request: web.Request) -> tuple[Any, list[Upload], ApiError | None]:
    """Return the JSON body, the uploaded files, and what is wrong with either."""
    if not request.can_read_body:
        return None, [], None
    try:
        if request.content_type == "multipart/form-data":
            body, files = await _read_multipart(request)
            return body, files, None
        return await request.json(), [], None
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None, [], errors.bad_json()


async def _read_multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    body: Any = {}
    files: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "payload_json":
            body = await part.json()
        elif part.name and part.name.startswith("files["):
            index = int(part.name.removeprefix("files[").removesuffix("]"))
            files.append(Upload(index, part.filename or "", bytes(await part.read())))
    return body, files
