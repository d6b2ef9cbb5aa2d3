"""Several backends behind one queue, as people see it: each job finds one that can do it, whatever breaks."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import pytest
from aiohttp import web

from bot.domain import breaker
from bot.domain.job import Job
from bot.jobs.service import Jobs
from bot.rehearsal import Discord, Interaction
from bot.services import rerouting
from bot.services.generation import Generation
from tests.standins.webui import Fault, StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, eventually, painted, result

AWAY = "Waiting for a painter"
PAINT = "/sdapi/v1/txt2img"


class Line:
    """The network between the bot and one server, which may break while the server works on."""

    def __init__(self, gpu: StandInWebUI) -> None:
        self._gpu = gpu
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            for end in tuple(self._ends):
                end.transport.abort()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._gpu.port)
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        self._ends.discard(writer)
        writer.close()


class Fragile(StandInWebUI):
    """Breaks the connection over one certain prompt."""

    async def _paint(self, request: web.Request, content: Any) -> web.StreamResponse:
        return self._cut(request) if "poison" in content["prompt"] else await super()._paint(request, content)


def fleet(*gpus: StandInWebUI) -> str:
    return ", ".join(f"webui={gpu.url} name=gpu{n}" for n, gpu in enumerate(gpus, start=1))


def prompts(gpu: StandInWebUI) -> list[str]:
    return [body["prompt"] for body in gpu.posts(PAINT)]


async def known(discord: Discord, *models: str) -> None:
    """Wait until the bot has been told of these models."""

    async def listed() -> bool:
        text = await ask(discord, discord.world.ada, "model list")
        return all(model in text for model in models)

    await eventually(listed)


async def order(discord: Discord, prompt: str, **values: Any) -> Interaction:
    return await discord.as_(discord.world.ada).slash("draw", prompt=prompt, **values)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests that a test can wait for."""
    monkeypatch.setattr(breaker, "FIRST_REST_S", 1.5)
    monkeypatch.setattr(breaker, "LONGEST_REST_S", 1.5)
    monkeypatch.setattr(breaker, "FIRST_LOSS_S", 0.1)
    monkeypatch.setattr(breaker, "LONGEST_LOSS_S", 0.3)


async def test_a_job_goes_to_the_one_backend_that_has_its_model(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as first, StandInWebUI() as second:
        first.models = ["random15", "owlish"]
        second.models, second.loras = ["random15", "foxy"], ["ink"]
        async with start(EASEL_BACKENDS=fleet(first, second)):
            await known(discord, "owlish", "foxy")
            acts = [
                await order(discord, f"{model} {n}", model=model) for n in range(3) for model in ("owlish", "foxy")
            ]
            acts += [await order(discord, f"inked {n}", lora="ink") for n in range(3)]
            for act in acts:
                await result(act)
    assert prompts(first) == [f"owlish {n}" for n in range(3)]
    assert prompts(second)[:3] == [f"foxy {n}" for n in range(3)]
    assert len(prompts(second)) == 6


async def test_one_killed_in_mid_job_hands_it_over_and_works_again_when_it_is_back(
    discord: Discord, start: Start
) -> None:
    first, second = StandInWebUI(step_s=0.1), StandInWebUI(step_s=0.1)
    async with first, second, start(EASEL_BACKENDS=fleet(first, second)):
        await known(discord, "dreamshaper")
        act = await order(discord, "a fox", seed=5, steps=10)
        await discord.until(lambda: first.running or second.running)
        killed, other = (first, second) if first.running else (second, first)
        await killed.stop()
        message = await result(act)
        assert "seed 5" in message.text
        assert (killed.painted, len(other.painted)) == ([], 1)
        assert sum(painted(message) for message in discord.world.channel.messages) == 1
        await killed.start()

        async def works_again() -> bool:
            await asyncio.gather(*(draw(discord, prompt=f"owl {n}", steps=4) for n in range(3)))
            return bool(killed.painted)

        await eventually(works_again)


async def test_what_another_took_over_is_stopped_where_it_was_begun_once_that_one_answers_again(
    discord: Discord, start: Start
) -> None:
    async with (
        StandInWebUI(step_s=0.05) as far,
        StandInWebUI() as near,
        Line(far) as line,
        start(EASEL_BACKENDS=f"webui=http://127.0.0.1:{line.port} name=far, {fleet(near)}"),
    ):
        await known(discord, "dreamshaper")
        await ask(discord, discord.world.owner, "backends drain", backend="gpu1")
        act = await order(discord, "a fox", steps=60)
        await discord.until(lambda: far.running is not None and far.running.step > 0)
        await ask(discord, discord.world.owner, "backends resume", backend="gpu1")
        await line.cut()
        await result(act)
        assert far.running is not None
        assert not far.posts("/sdapi/v1/interrupt")
        await line.mend()
        await discord.until(lambda: far.running is None, 20)
    assert len(far.posts("/sdapi/v1/interrupt")) == 1
    assert prompts(near) == ["a fox"]


async def test_one_that_answers_nonsense_burns_no_job_and_gets_work_again_once_it_is_healed(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI(step_s=0.02) as sick, StandInWebUI(step_s=0.02) as sound:
        sick.fault, sick.faults = Fault.HTML, 1000
        async with start(EASEL_BACKENDS=fleet(sick, sound)):
            await known(discord, "dreamshaper")
            await asyncio.gather(*(draw(discord, prompt=f"fox {n}") for n in range(10)))
            assert len(sound.painted) == 10
            assert breaker.FAULTS <= len(prompts(sick)) <= breaker.FAULTS + 2
            sick.fault = None

            async def works_again() -> bool:
                await asyncio.gather(*(draw(discord, prompt=f"owl {n}") for n in range(4)))
                return bool(sick.painted)

            await eventually(works_again)


async def test_where_the_only_one_is_broken_three_are_told_and_the_rest_wait(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_REST_S", 2.5)
    monkeypatch.setattr(breaker, "LONGEST_REST_S", 2.5)
    async with StandInWebUI() as sick:
        sick.fault, sick.faults = Fault.HTML, 1000
        async with start(EASEL_BACKENDS=fleet(sick)):
            acts = [await order(discord, f"fox {n}") for n in range(6)]
            for act in acts[:3]:
                await act.until(lambda message: "Not painted" in message.text, 20)
            waiting = await acts[5].until(lambda message: AWAY in message.text, 20)
            assert "gpu1 gave an answer that cannot be read." in waiting.text
            # The next one may have been sent before the third answer was read.
            assert len(prompts(sick)) <= breaker.FAULTS + 1
            sick.fault = None
            for act in acts[4:]:
                await result(act)


async def test_a_fault_while_no_other_works_is_told_at_once(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as second:
        away = fleet(second)
    async with StandInWebUI() as first:
        first.fault, first.faults = Fault.HTML, 1
        async with start(EASEL_BACKENDS=f"{away}, webui={first.url} name=other"):
            act = await order(discord, "a fox")
            message = await act.until(lambda message: "Not painted" in message.text, 20)
            assert "other gave an answer" in message.text
            await result(await discord.as_(discord.world.ada).press(message, "Try again"))


async def test_a_wait_names_the_backend_it_is_for_and_ends_where_the_model_turns_up(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as first, StandInWebUI() as second:
        first.models = ["random15", "owlish"]
        async with start(EASEL_BACKENDS=fleet(first, second)):
            await known(discord, "owlish", "dreamshaper")
            await first.stop()
            act = await order(discord, "an owl", model="owlish")
            message = await act.until(lambda message: AWAY in message.text, 20)
            assert "gpu1 cannot be reached" in message.text
            await draw(discord, prompt="a fox")
            assert AWAY in act.message.text
            second.models.append("owlish")
            second.step_s = 0.1
            busy = await order(discord, "a badger", steps=60)
            await discord.until(lambda: second.running is not None)
            refresh = await discord.as_(discord.world.owner).slash("backends refresh", backend="gpu2")
            await refresh.until(lambda message: "are fresh" in message.text)
            await act.until(lambda message: "In line" in message.text, 20)
            second.step_s = 0.0
            await result(busy)
            await result(act)
    assert prompts(second) == ["a fox", "a badger", "an owl"]


async def test_a_drained_backend_leaves_the_jobs_to_the_other(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as first, StandInWebUI() as second, start(EASEL_BACKENDS=fleet(first, second)):
        await known(discord, "dreamshaper")
        await ask(discord, discord.world.owner, "backends drain", backend="gpu1")
        await asyncio.gather(*(draw(discord, prompt=f"fox {n}", steps=2) for n in range(4)))
    assert (prompts(first), len(prompts(second))) == ([], 4)


async def test_a_job_that_kills_its_servers_fails_in_words_and_the_others_get_through(
    discord: Discord, start: Start
) -> None:
    async with Fragile() as first, Fragile() as second, start(EASEL_BACKENDS=fleet(first, second)):
        await known(discord, "dreamshaper")
        poison = await order(discord, "poison")
        others = [await order(discord, f"fox {n}") for n in range(3)]
        message = await poison.until(lambda message: "Not painted" in message.text, 30)
        assert "broke 5 times" in message.text
        for act in others:
            await result(act)
    sent = prompts(first) + prompts(second)
    assert sorted(sent) == ["fox 0", "fox 1", "fox 2", *["poison"] * 5]


async def test_a_job_waits_over_a_restart_for_the_one_that_has_its_model(discord: Discord, start: Start) -> None:
    async with AsyncExitStack() as stack:
        first, second = StandInWebUI(), StandInWebUI()
        for gpu in (first, second):
            await stack.enter_async_context(gpu)
        second.models = ["random15", "owlish"]
        async with start(EASEL_BACKENDS=fleet(first, second)):
            await known(discord, "owlish", "dreamshaper")
            await second.stop()
            act = await order(discord, "an owl", model="owlish")
            await act.until(lambda message: AWAY in message.text, 20)
        async with start(EASEL_BACKENDS=fleet(first, second)):
            await known(discord, "dreamshaper")
            await draw(discord, prompt="a fox")
            assert not painted(act.message)
            await second.start()
            await discord.until(lambda: painted(act.message), 20)
    assert prompts(second) == ["an owl"]
    assert "an owl" not in prompts(first)


async def test_a_job_for_a_backend_that_was_taken_away_is_done_by_the_one_that_is_left(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with StandInWebUI() as first, StandInWebUI() as second:
        second.models = ["random15", "owlish"]
        async with start(EASEL_BACKENDS=fleet(first, second)):
            await known(discord, "owlish", "dreamshaper")
            await second.stop()
            act = await order(discord, "an owl", model="owlish")
            await act.until(lambda message: AWAY in message.text, 20)
        first.models = second.models
        relane = Jobs.relane

        async def refused(_jobs: Jobs, *_given: object) -> list[Job]:
            monkeypatch.setattr(Jobs, "relane", relane)
            raise OSError("the disk is full")

        monkeypatch.setattr(Jobs, "relane", refused)
        monkeypatch.setattr(rerouting, "AGAIN_S", 0.1)
        async with start(EASEL_BACKENDS=f"webui={first.url} name=left"):
            await discord.until(lambda: painted(act.message), 20)


async def test_a_job_that_follows_an_outages_first_success_is_not_cut_short(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Jobs.__init__.__kwdefaults__ or {}, "drain_s", 0.1)
    async with StandInWebUI() as gpu:
        backends = f"webui={gpu.url} slots=2"
    async with start(EASEL_BACKENDS=backends):
        acts = [await order(discord, f"fox {n}", steps=4) for n in range(4)]
        await acts[-1].until(lambda message: AWAY in message.text, 20)
        gpu.step_s = 0.1
        async with gpu:
            for act in acts:
                await result(act)
    assert sorted(prompts(gpu)) == [f"fox {n}" for n in range(4)]
    assert not gpu.posts("/sdapi/v1/interrupt")


async def test_a_bot_with_one_backend_and_nothing_to_do_does_nothing(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = 0
    pause = Generation._pause

    async def counted(self: Generation, seconds: float | None, *also: asyncio.Event) -> None:
        nonlocal pauses
        pauses += 1
        await pause(self, seconds, *also)

    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=fleet(gpu)):
        await draw(discord)
        monkeypatch.setattr(Generation, "_pause", counted)
        await asyncio.sleep(0.3)
    assert pauses < 5


async def test_a_job_that_avoids_a_backend_goes_back_there_when_the_other_dies(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as one, StandInWebUI(step_s=0.05) as other, start(EASEL_BACKENDS=fleet(one, other)):
        other.models.append("rare")
        one.models.append("rare")
        one.fault, one.faults = Fault.HTML, 1
        asked = [await order(discord, prompt) for prompt in ("a fox", "an owl")]
        await discord.until(lambda: other.running is not None and one.fault is Fault.HTML and not one.faults)
        await other.stop()
        for act in asked:
            await result(act)


async def test_a_lora_in_the_prompt_itself_finds_its_backend_too(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as one, StandInWebUI() as other:
        other.loras.append("ink")
        async with start(EASEL_BACKENDS=fleet(one, other)):
            await eventually(lambda: _listed(discord, other))
            for _ in range(3):
                await draw(discord, prompt="a fox <lora:ink:0.8>")
        assert len(prompts(other)) == 3
        assert not prompts(one)


async def _listed(discord: Discord, gpu: StandInWebUI) -> bool:
    text = await ask(discord, discord.world.admin, "backends show")
    return text.count("works") == 2 and gpu.running is None


async def test_a_job_for_a_drained_backend_says_that_its_host_works_on_it(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=fleet(gpu)):
        await draw(discord)
        await ask(discord, discord.world.owner, "backends drain", backend="gpu1")
        waiting = await order(discord, "an owl")
        assert "gpu1 is drained" in (await waiting.until(lambda message: AWAY in message.text)).text
        await ask(discord, discord.world.owner, "backends resume", backend="gpu1")
        await result(waiting)
