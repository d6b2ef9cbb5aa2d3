"""Work on finished pictures: made larger, cut out, described; and what can be pressed under the results."""

import asyncio
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from bot.domain import breaker, infotext
from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment
from tests.standins.comfyui import StandInComfyUI
from tests.standins.webui import StandInWebUI
from tests.standins.webui_pictures import other
from tests.standins.webui_pictures import png as labelled
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import (
    ask,
    draw,
    eventually,
    painted,
    parameters,
    private,
    raw_command,
    raw_press,
    recipe,
    result,
)
from tests.whole.process import running

UPSCALE, INTERROGATE, PAINT = "/sdapi/v1/extra-single-image", "/sdapi/v1/interrogate", "/sdapi/v1/txt2img"
RECIPE = (
    "a quiet harbour\nNegative prompt: fog\n"
    "Steps: 9, Sampler: Euler a, CFG scale: 5.5, Seed: 77, Size: 128x64, Model: random15"
)


class Stuck(StandInWebUI):
    """While ``stuck``, it begins to make a picture larger and comes to no end; ``upscalings`` counts those."""

    stuck, upscalings = False, 0

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.stuck and request.path == UPSCALE and b"upscaler_1" in await request.read():
            self.upscalings += 1
            await self._gone.wait()
            return self._cut(request)
        return await super()._answer(request)


def webui(*servers: StandInWebUI) -> str:
    return ", ".join(f"webui={server.url} name=gpu{n}" for n, server in enumerate(servers, start=1))


async def known(discord: Discord, upscaler: str = "ESRGAN_4x") -> None:
    """Wait until the bot has been told what its backends can do."""
    ada = discord.as_(discord.world.ada)
    await eventually(lambda: ada.autocomplete("upscale", "upscaler", upscaler))


async def work(discord: Discord, name: str, **values: Value) -> Interaction:
    return await discord.as_(discord.world.ada).slash(name, **values)


def last(server: StandInWebUI, path: str) -> Any:
    """The last body sent to ``path``: the probe of what is there comes before it."""
    return server.posts(path)[-1]


def sides(message: Message) -> tuple[int | None, int | None]:
    [file] = message.attachments
    return file.width, file.height


async def test_ones_last_picture_is_made_larger_and_keeps_its_recipe(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        first = await draw(discord, prompt="a fox", seed=7, steps=3)
        act = await work(discord, "upscale")
        larger = await result(act)
        assert sides(larger) == (256, 256)
        told = recipe(larger)
        assert (told.prompt, told.seed, told.fields["Steps"]) == ("a fox", 7, "3")
        assert told.fields["Postprocess upscale by"] == "2"
        assert told.fields["Postprocess upscaler"] == "ESRGAN_4x"
        assert parameters(larger.attachments[0].data).startswith(parameters(first.attachments[0].data))
        assert "seed 7" in larger.text
        assert "256×256 · ×2 · ESRGAN_4x" in larger.text
        ada = discord.as_(discord.world.ada)
        shown = await private(discord, await ada.press(larger, "Settings"))
        assert "/draw prompt:a fox" in shown
        assert "`/upscale scale:2 upscaler:ESRGAN_4x`" in shown
        again = await result(await ada.press(larger, "Reroll"))
        assert sides(again) == (128, 128)
        assert (recipe(again).prompt, recipe(again).seed == 7) == ("a fox", False)


async def test_every_option_of_an_upscaling_arrives(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server:
        server.replay["/sdapi/v1/face-restorers"] = (200, b'[{"name": "CodeFormer"}, {"name": "GFPGAN"}]')
        async with start(EASEL_BACKENDS=webui(server)):
            await known(discord)
            wanted: dict[str, Value] = {
                "upscaler": "Lanczos",
                "scale": 1.5,
                "second": "Nearest",
                "second_share": 0.25,
            }
            act = await work(
                discord, "upscale", image=Attachment("c.png", png(64, 48)), face_fix="GFPGAN", **wanted
            )
            larger = await result(act)
        sent = last(server, UPSCALE)
    assert sides(larger) == (96, 72)
    names = ("upscaler_1", "upscaling_resize", "upscaler_2", "extras_upscaler_2_visibility", "gfpgan_visibility")
    assert [sent[name] for name in names] == ["Lanczos", 1.5, "Nearest", 0.25, 1]
    assert "Lanczos + Nearest · GFPGAN" in larger.text
    assert "seed" not in larger.text, "nobody knows it"
    labels = {control.get("label") for control in larger.controls}
    assert not {"Reroll", "Edit"} & labels, "nobody knows how it was painted"
    assert "Delete" in labels


async def test_an_attached_picture_that_tells_its_recipe_keeps_it_and_can_be_rerolled(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        act = await work(discord, "upscale", image=Attachment("c.webp", other("WEBP", 64, 48, 5, RECIPE)), scale=3)
        larger = await result(act)
        assert (sides(larger), recipe(larger).seed) == ((192, 144), 77)
        again = await result(await discord.as_(discord.world.bruno).press(larger, "Reroll"))
        assert (recipe(again).prompt, recipe(again).negative_prompt, sides(again)) == (
            "a quiet harbour",
            "fog",
            (128, 64),
        )


async def test_a_result_that_would_be_too_large_is_refused_with_the_largest_scale_that_fits(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server), EASEL_MAX_SIDE="320"):
        await known(discord)
        small, large = Attachment("s.png", png(200, 100)), Attachment("l.png", png(310, 100))
        ada = discord.world.ada
        assert "Choose a scale of at most 1" in await ask(discord, ada, "upscale", image=small, scale=3)
        assert "about as large as a picture may be here" in await ask(discord, ada, "upscale", image=large)
        assert sides(await result(await work(discord, "upscale", image=small))) == (320, 160), "as much as fits"
        act = await raw_command(discord, ada, "upscale", image=small, scale=5)
        assert "scale 5" in await private(discord, act)


async def test_what_no_backend_has_is_refused_in_words(discord: Discord, start: Start) -> None:
    picture = Attachment("c.png", png())
    ada = discord.world.ada
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        assert "There is no upscaler “Lancos”" in await ask(
            discord, ada, "upscale", image=picture, upscaler="Lancos"
        )
        assert "background removal" in await ask(discord, ada, "cutout", image=picture)
        assert "no picture in this channel yet" in await ask(discord, ada, "upscale")
        broken = Attachment("c.png", b"\x89PNG\r\n\x1a\nnothing", content_type="image/png")
        assert "picture" in await ask(discord, ada, "upscale", image=broken)
        assert all(m.private_to for m in discord.world.channel.messages), "no placeholder stays"


@pytest.mark.usefixtures("easel")
async def test_a_painter_that_only_paints_says_so(discord: Discord) -> None:
    await draw(discord)
    ada = discord.world.ada
    picture = Attachment("c.png", png())
    assert "No backend here can do that: upscaling." in await ask(discord, ada, "upscale")
    assert "describing pictures" in await ask(discord, ada, "describe", image=picture)


async def test_a_background_is_cut_away(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server:
        server.rembg = True
        async with start(EASEL_BACKENDS=webui(server)):
            await known(discord)
            await draw(discord, seed=7)
            act = await work(discord, "cutout", model="isnet-anime", private=True)
            cut = await act.until(painted, 20)
        assert last(server, "/rembg")["model"] == "isnet-anime"
    assert cut.private_to == discord.world.ada.id
    assert Image.open(BytesIO(cut.attachments[0].data)).mode == "RGBA"
    assert recipe(cut).fields["Rembg"] == "isnet-anime"
    assert "background removal · isnet-anime" in cut.text


async def test_a_comfyui_makes_larger_too(discord: Discord, start: Start) -> None:
    async with StandInComfyUI() as server, start(EASEL_BACKENDS=f"comfyui={server.url}"):
        await known(discord, "4x-sharp")
        first = await draw(discord, seed=7)
        larger = await result(await work(discord, "upscale", scale=1.5))
        refused = await ask(discord, discord.world.ada, "upscale", face_fix="CodeFormer")
        assert "anything to choose for face" in refused
    assert sides(larger) == (192, 192)
    assert recipe(larger).seed == recipe(first).seed == 7
    assert recipe(larger).fields["Postprocess upscale by"] == "1.5"
    assert larger.attachments[0].data.count(b"parameters\0") == 1


async def test_a_picture_is_described_in_words_that_can_be_painted(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        ada = discord.as_(discord.world.ada)
        act = await work(discord, "describe", image=Attachment("c.png", png()), model="deepdanbooru")
        message = await act.until(lambda m: "cat, no humans" in m.text, 20)
        opened = await ada.press(message, "Draw this")
        drawn = await result(await ada.submit(opened, {"negative_prompt": "dogs"}))
        assert (recipe(drawn).prompt, recipe(drawn).negative_prompt) == ("cat, no humans", "dogs")
        assert sides(drawn) == (128, 128), "the rest is as usual"
        await ada.press(message, "Delete")
        await discord.until(lambda: message.deleted, 20)
    assert not message.reactions, "there is nothing to be rerolled"


async def test_a_picture_that_tells_its_recipe_needs_no_backend(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server:
        async with start(EASEL_BACKENDS=webui(server)):
            await known(discord)
            server.hung = (INTERROGATE,)
            act = await ada.slash("describe", image=Attachment("c.jpg", other("JPEG", 64, 48, 5, RECIPE)))
            message = await act.until(lambda m: "/draw" in m.text, 20)
            line = "prompt:a quiet harbour negative_prompt:fog model:random15"
            assert line in message.text
            for part in ("seed:77", "steps:9", "cfg_scale:5.5", "sampler:Euler a"):
                assert part in message.text
            assert last(server, INTERROGATE) == {"image": {}}, "that was only the probe"
            server.hung = ()
        async with start(EASEL_BACKENDS=webui(server)):
            await known(discord)
            drawn = await result(await ada.submit(await ada.press(message, "Draw this")))
            told = recipe(drawn)
            assert (told.prompt, told.seed, told.fields["Steps"], sides(drawn)) == (
                "a quiet harbour",
                77,
                "9",
                (128, 64),
            )
            words = await ada.press(message, "Describe in words")
            await words.until(lambda m: "a cat" in m.text, 20)


@pytest.mark.usefixtures("easel")
async def test_a_made_up_button_finds_nothing(discord: Discord) -> None:
    message = await draw(discord)
    for custom_id in ("draw:../../etc/passwd", f"draw:{'0' * 64}", "caption:1", "words:x", "sing:1", ""):
        pressed = await raw_press(discord, discord.world.ada, f"easel-describe:{custom_id}", message)
        text = await private(discord, pressed)
        assert "no longer" in text, custom_id


async def test_ones_own_picture_tells_all_that_painted_it_at_once(discord: Discord, start: Start) -> None:
    async with start():
        await draw(discord, prompt="a fox", seed=7, steps=3, count=1)
        act = await work(discord, "describe", private=True)
        message = await act.until(lambda m: "/draw prompt:a fox" in m.text, 20)
        assert message.private_to == discord.world.ada.id
        labels = [control.get("label") for control in message.controls]
        assert labels == ["Draw this"], "nobody here can say it in words"


async def test_a_spoiler_stays_one_however_it_is_worked_on(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server:
        server.rembg = True
        async with start(EASEL_BACKENDS=webui(server)):
            await known(discord)
            await draw(discord, spoiler=True)
            larger = await result(await work(discord, "upscale"))
            cut = await result(await work(discord, "cutout", image=Attachment("SPOILER_c.png", png())))
    assert [m.attachments[0].filename.startswith("SPOILER_") for m in (larger, cut)] == [True, True]


async def test_it_waits_is_cancelled_and_done_again_like_any_job(discord: Discord, start: Start) -> None:
    async with Stuck() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        ada = discord.as_(discord.world.ada)
        server.stuck = True
        act = await work(discord, "upscale", image=Attachment("c.png", png(64, 48)))
        message = await act.until(lambda m: "Upscaling" in m.text, 20)
        assert "64×48 → 128×96 · ×2 · ESRGAN_4x" in message.text
        await ada.press(message, "Cancel")
        await act.until(lambda m: "Cancelled" in m.text, 20)
        server.stuck = False
        again = await result(await ada.press(message, "Run again"))
        assert sides(again) == (128, 96)


async def test_one_that_does_not_fit_the_memory_is_offered_smaller(discord: Discord, start: Start) -> None:
    words = b'{"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA out of memory."}'
    async with StandInWebUI() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        server.replay[UPSCALE] = (500, words)
        act = await work(discord, "upscale", image=Attachment("c.png", png(64, 64)))
        message = await act.until(lambda m: "Not upscaled" in m.text, 20)
        del server.replay[UPSCALE]
        smaller = await result(await discord.as_(discord.world.ada).press(message, "Smaller"))
    assert sides(smaller) == (96, 96)


async def test_another_backend_takes_over_where_one_breaks_down(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_REST_S", 30.0)
    async with StandInWebUI() as first, StandInWebUI() as second:
        broken = {UPSCALE: (200, b"{}")}
        async with start(EASEL_BACKENDS=webui(first, second)):
            while not (first.posts(UPSCALE) and second.posts(UPSCALE)):  # noqa: ASYNC110 - until both were asked
                await asyncio.sleep(0.02)
            await known(discord)
            first.replay = dict(broken)
            picture = Attachment("c.png", png(64, 48))
            acts = [await work(discord, "upscale", image=replace(picture)) for _ in range(4)]
            for act in acts:
                assert sides(await result(act)) == (128, 96)
    assert sum("upscaler_1" in body for body in second.posts(UPSCALE)) == 4


async def test_one_that_is_cut_off_is_done_when_its_backend_is_back(
    discord: Discord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_LOSS_S", 0.1)
    monkeypatch.setattr(breaker, "LONGEST_LOSS_S", 0.3)
    async with Stuck() as server, start(EASEL_BACKENDS=webui(server)):
        await known(discord)
        server.stuck = True
        act = await work(discord, "upscale", image=Attachment("c.png", png(64, 48)))
        while not server.upscalings:  # noqa: ASYNC110 - the stand-in tells nobody
            await asyncio.sleep(0.02)
        await server.stop()
        await act.until(lambda m: "Waiting for a painter" in m.text, 20)
        server.stuck = False
        await server.start()
        assert sides(await result(act)) == (128, 96)


async def test_killed_in_the_middle_it_is_done_by_the_next_life(discord: Discord, environ: dict[str, str]) -> None:
    async with Stuck() as server:
        environ["EASEL_BACKENDS"] = webui(server)
        async with running(discord, environ) as first:
            await known(discord)
            server.stuck = True
            act = await work(discord, "upscale", image=Attachment("c.png", labelled(64, 48, 5, RECIPE)))
            while not server.upscalings:  # noqa: ASYNC110 - the stand-in tells nobody
                await asyncio.sleep(0.02)
            await first.kill()
        server.stuck = False
        async with running(discord, environ) as second:
            message = await act.until(painted, 60)
            assert await second.stop() == 0
    assert infotext.parse(parameters(message.attachments[0].data)).seed == 77
    assert sides(message) == (128, 96)
    assert len(discord.world.channel.messages) == 1
