"""Backends that are away, fail, hang or lie: the person reads what happened, and nothing is lost."""

import pytest

from bot.rehearsal import Discord, Message
from bot.rehearsal.world import Attachment
from tests.standins.webui import Fault, StandInWebUI
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import draw, private, raw_press, recipe, result

AWAY = "Waiting for a painter"


def painted(message: Message) -> bool:
    return any("easel-" in file.filename for file in message.attachments)


@pytest.fixture
def backend() -> StandInWebUI:
    return StandInWebUI()


async def test_a_backend_absent_at_the_start_is_waited_for(
    discord: Discord, start: Start, backend: StandInWebUI
) -> None:
    async with backend:
        address = f"webui={backend.url}"
    async with start(EASEL_BACKENDS=address):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a patient fox")
        message = await act.until(lambda m: AWAY in m.text)
        assert "your place is kept" in message.text
        async with backend:
            await act.until(painted, 20)


@pytest.mark.parametrize("kept", [0, 1])
async def test_what_a_backend_that_is_away_may_be_able_to_do_waits_for_it(
    discord: Discord, start: Start, backend: StandInWebUI, kept: int
) -> None:
    ada, picture = discord.as_(discord.world.ada), Attachment("c.png", png(64, 48))
    backend.rembg = True
    async with backend:
        address = f"webui={backend.url}"
    async with start(EASEL_BACKENDS=address + ", sketch=0" * kept):
        acts = [await ada.slash(name, image=picture) for name in ("upscale", "cutout")]
        for act in acts:
            await act.until(lambda m: AWAY in m.text, 20)
        if kept:
            acts.append(await raw_press(discord, ada.user, "easel:more:3", await draw(discord), ("upscale",)))
        control = await ada.slash("draw", prompt="a", control_image=picture)
        assert "a backend is away" in await private(discord, control)
        async with backend:
            larger, cut, *more = [await result(act) for act in acts]
    assert "128×96 · ×2 · " in larger.text
    assert "background removal" in cut.text
    assert all(recipe(m).fields["Postprocess upscaler"] == "ESRGAN_4x" for m in more)


async def test_a_backend_killed_in_mid_job_paints_it_once_it_is_back(
    discord: Discord, start: Start, backend: StandInWebUI
) -> None:
    backend.step_s = 0.5
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}"):
        ada = discord.as_(discord.world.ada)
        act = await ada.slash("draw", prompt="a fox", seed=5, steps=20)
        second = await ada.slash("draw", prompt="an owl", steps=2)
        await discord.until(lambda: backend.running is not None)
        await backend.stop()
        await act.until(lambda m: AWAY in m.text, 20)
        backend.step_s = 0.0
        await backend.start()
        await act.until(painted, 30)
        await second.until(painted, 30)
    assert "seed 5" in act.message.text
    assert len(discord.world.channel.messages) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.OUT_OF_MEMORY, "memory"),
        (Fault.NAN, "NaN"),
        (Fault.HTML, "answer"),
        (Fault.TRUNCATED_JSON, "answer"),
        (Fault.BROKEN_BASE64, "answer"),
        (Fault.NO_IMAGES, "picture"),
        (Fault.NOT_A_PICTURE, "answer"),
        (Fault.INVALID, "integer"),
        (Fault.SILENT, "did not say why"),
    ],
)
async def test_a_failed_paint_says_what_happened_and_what_to_do(
    discord: Discord, start: Start, backend: StandInWebUI, fault: Fault, words: str
) -> None:
    backend.fault, backend.faults = fault, 1
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}"):
        ada = discord.as_(discord.world.ada)
        act = await ada.slash("draw", prompt="a fox")
        message = await act.until(lambda m: "Not painted" in m.text, 20)
        assert words in message.text
        assert "/srv/" not in message.text
        labels = {control["label"] for control in message.controls}
        assert labels == ({"Try again", "Smaller"} if fault is Fault.OUT_OF_MEMORY else {"Try again"})
        again = await ada.press(message, "Try again")
        await again.until(painted, 20)


@pytest.mark.parametrize(("fault", "words"), [(Fault.AUTH, "password"), (Fault.NOT_ENABLED, "--api")])
async def test_a_backend_that_will_not_talk_keeps_jobs_waiting_and_names_the_cure(
    discord: Discord, start: Start, backend: StandInWebUI, fault: Fault, words: str
) -> None:
    backend.fault = fault
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
        message = await act.until(lambda m: AWAY in m.text, 20)
        assert words in message.text
        backend.fault = None
        await act.until(painted, 30)


async def test_a_hanging_backend_is_given_up_and_the_person_told(
    discord: Discord, start: Start, backend: StandInWebUI
) -> None:
    backend.fault, backend.faults = Fault.STALL, 1
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}", EASEL_STALL_TIMEOUT_S="10"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
        message = await act.until(lambda m: "Not painted" in m.text, 30)
        assert "stood still" in message.text


async def test_a_connection_cut_after_the_work_is_painted_again_and_appears_once(
    discord: Discord, start: Start, backend: StandInWebUI
) -> None:
    backend.fault, backend.faults = Fault.CUT_AFTER, 1
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox")
        await act.until(painted, 30)
    assert len(discord.world.channel.messages) == 1


async def test_the_model_goes_with_the_request_and_the_server_keeps_its_own(
    discord: Discord, start: Start, backend: StandInWebUI
) -> None:
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}"):
        ada = discord.as_(discord.world.ada)
        await discord.until(lambda: backend.seen)
        act = await ada.slash("draw", prompt="a fox", model="dreamshaper_8")
        await act.until(painted, 20)
    [sent] = backend.posts("/sdapi/v1/txt2img")
    assert sent["override_settings"]["sd_model_checkpoint"] == "dreamshaper_8"
    assert sent["override_settings_restore_afterwards"] is True
    assert not backend.posts("/sdapi/v1/options")


async def test_cancelling_a_running_job_interrupts_the_server(
    discord: Discord, start: Start, backend: StandInWebUI
) -> None:
    backend.step_s = 0.3
    async with backend, start(EASEL_BACKENDS=f"webui={backend.url}"):
        ada = discord.as_(discord.world.ada)
        act = await ada.slash("draw", prompt="a fox", steps=50)
        message = await act.until(lambda m: "Painting" in m.text, 20)
        await ada.press(message, "Cancel")
        await act.until(lambda m: "Cancelled" in m.text, 20)
        await discord.until(lambda: backend.running is None)
    assert backend.posts("/sdapi/v1/interrupt") == [None]
    assert not act.message.attachments
