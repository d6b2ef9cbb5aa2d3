"""Prompts handed in at a ComfyUI, looked after, and taken back."""

import asyncio
import json
from typing import Any

import structlog

from bot.backends import errors
from bot.backends.comfyui import history, trouble
from bot.backends.comfyui.graph import Graph
from bot.backends.comfyui.history import Memo, Outcome, Place, Queued
from bot.backends.comfyui.run import Run
from bot.backends.decoding import BITE, Decoder
from bot.backends.wire import Pace, Wire
from bot.domain.errors import BackendError, ProtocolError, UnreachableError
from bot.domain.ports import Clock

log = structlog.get_logger(__name__)

_LOOKS = 3
_LOOK_S = 0.1
_SOON_S = 0.02
_SELDOM = 10
"""Looks of ours are this much rarer while the socket is there to tell."""
_NEWEST = 16
"""Prompts of the history that are searched on servers that choose the ids themselves."""


class Desk:
    """The queue and the history of one server."""

    def __init__(self, backend: str, wire: Wire, decoder: Decoder, pace: Pace, clock: Clock) -> None:
        self._backend = backend
        self._wire = wire
        self._decoder = decoder
        self._pace = pace
        self._clock = clock

    async def submit(self, graph: Graph, memo: Memo, client_id: str, run: Run) -> None:
        """Hand a prompt in, at most once; ``run`` learns the id it has at the server.

        A connection that breaks before the answer leaves open whether it was taken: the queue tells.
        """
        prompt = {"prompt": graph, "client_id": client_id, "prompt_id": memo.task, "extra_data": memo.extra_data()}
        failure: BackendError
        try:
            async with asyncio.timeout(self._pace.get_s):
                incoming = await self._wire.paint("/prompt", json.dumps(prompt).encode())
                body = await incoming.read()
            answer = self._accepted(body)
        except (UnreachableError, ProtocolError) as error:
            failure = error
        except TimeoutError as error:
            failure = errors.lost(self._backend, error)
        else:
            run.prompt_id = answer["prompt_id"]
            if answer.get("node_errors"):
                await self.withdraw(memo.task)
                raise errors.refused(self._backend, trouble.complaint(answer))
            return
        if not await self._taken(memo.task, run):
            raise failure

    async def end(self, run: Run, task: str) -> Outcome:
        """Return the outcome of a prompt that ran well; raises the ``BackendError`` of one that did not.

        What the socket tells of an end is a reason to look; without a word from it there is a look all the same.
        """
        absent, failing_since = 0, None
        while True:
            await run.reason_to_look(self._until_next_look(run, absent))
            try:
                outcome = await self._outcome(run.prompt_id, task)
                queued = None if outcome is not None else await self.place(task)
            except BackendError:
                run.doubtful = True
                failing_since = failing_since or self._clock()
                if self._clock() - failing_since > self._pace.get_s:
                    raise
                continue
            failing_since = None
            if outcome is not None:
                return self._good(outcome)
            if queued is not None:
                absent, run.doubtful = 0, False
                if queued.place is Place.PENDING:
                    run.waits()
                continue
            absent += 1
            if absent > 1:
                return self._vanished(run)

    async def found(self, task: str) -> Outcome | None:
        """Return how a prompt of an earlier life ended, if its history is still there."""
        outcome = await self._outcome(task, task)
        if outcome is not None:
            return outcome
        body = await self._wire.get(f"/history?max_items={_NEWEST}")
        return self._read(body, task)

    async def place(self, task: str) -> Queued | None:
        """Return where a prompt is in the queue."""
        body = await self._wire.fetch("GET", "/queue")
        try:
            if len(body) < BITE:
                return history.queued(body, task)
            return await self._decoder.run(history.queued, body, task)
        except ValueError as error:
            raise errors.broken(self._backend) from error

    async def withdraw(self, task: str) -> None:
        """Take a prompt out of the queue or interrupt it, within a bounded time; no other is touched.

        One that has only just been sent may not be in the queue yet, so a few looks are taken. Servers that know
        of no prompt's id at ``/interrupt`` would stop whatever runs: it is asked only while ours does.
        """
        looks = 0
        try:
            async with asyncio.timeout(self._pace.interrupt_s):
                while looks < _LOOKS:
                    queued = await self.place(task)
                    if queued is not None and queued.place is Place.RUNNING:
                        await self._post("/interrupt", {"prompt_id": queued.prompt_id})
                        return
                    if queued is not None:
                        await self._post("/queue", {"delete": [queued.prompt_id]})
                    elif await self._outcome(task, task) is not None:
                        return
                    looks += queued is None
                    await asyncio.sleep(_LOOK_S)
        except (BackendError, TimeoutError) as error:
            log.info("not withdrawn", backend=self._backend, task=task, reason=type(error).__name__)

    def _accepted(self, body: bytearray) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise errors.broken(self._backend) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("prompt_id"), str):
            raise errors.broken(self._backend)
        return answer

    def _until_next_look(self, run: Run, absent: int) -> float:
        """Look soon for what was told to have ended or was not there a moment ago."""
        if run.ended or absent:
            return _SOON_S
        return self._pace.poll_s * (_SELDOM if run.heard else 1)

    def _good(self, outcome: Outcome) -> Outcome:
        if outcome.interrupted:
            raise errors.stopped(self._backend)
        if outcome.error is not None:
            raise trouble.failed(self._backend, outcome.error)
        return outcome

    def _vanished(self, run: Run) -> Outcome:
        """Judge a prompt of which neither queue nor history know: cleared, deleted, or lost with its server."""
        if run.succeeded:
            return Outcome(run.prompt_id, run.outputs)
        if run.doubtful:
            raise errors.lost(self._backend, ConnectionResetError())
        raise trouble.taken_out(self._backend)

    async def _taken(self, task: str, run: Run) -> bool:
        """Return whether the server has the prompt though it did not say so; ``run`` learns its id there."""
        try:
            for _ in range(_LOOKS):
                known = await self.place(task) or await self._outcome(task, task)
                if known is not None:
                    run.prompt_id = known.prompt_id
                    return True
                await asyncio.sleep(_LOOK_S)
        except BackendError:
            return False
        return False

    async def _outcome(self, prompt_id: str, task: str) -> Outcome | None:
        return self._read(await self._wire.fetch("GET", f"/history/{prompt_id}"), task)

    def _read(self, body: bytearray, task: str) -> Outcome | None:
        try:
            return history.outcome(body, task)
        except ValueError as error:
            raise errors.broken(self._backend) from error

    async def _post(self, path: str, content: object) -> None:
        await self._wire.fetch("POST", path, json.dumps(content).encode())
