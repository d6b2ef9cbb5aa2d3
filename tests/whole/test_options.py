"""Every option of /draw and every name of a settings line, typed by a person, seen by a WebUI; and back again."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import discord as dpy
import pytest
import pytest_asyncio
import yarl
from PIL import Image

from bot.rehearsal import Discord
from bot.rehearsal.commands import leaves
from bot.rehearsal.world import Attachment, Message
from bot.ui.options import DRAW, REMIX
from bot.ui.settings import SETTINGS
from tests.standins.webui import StandInWebUI
from tests.standins.webui_state import CANNY, DEPTH
from tests.whole import pictures, spec
from tests.whole.conftest import Bot, Time
from tests.whole.play import eventually, private, result

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = Attachment("picture.png", pictures.png())
MASK = Attachment("mask.png", pictures.encoded(Image.linear_gradient("L").point(lambda p: p // 128 * 255), "PNG"))
CONTROL, SWAP = "alwayson_scripts.controlnet.args.0", "alwayson_scripts.reactor.args"
DETAIL = "alwayson_scripts.ADetailer.args.2"
MODEL = "dreamshaper_8"
BASE: Mapping[str, Any] = {
    "prompt": "a fox",
    "model": MODEL,
    "sampler": "Euler a",
    "scheduler": "Karras",
    "seed": 7,
    "steps": 4,
}
OPTIONS: Mapping[str, tuple[Any, str, Any]] = {
    "prompt": ("a fox in the snow", "prompt", "a fox in the snow"),
    "negative_prompt": ("fog, text", "negative_prompt", "fog, text"),
    "model": (MODEL, "override_settings.sd_model_checkpoint", MODEL),
    "style": ("ink", "styles", ["ink"]),
    "size": ("16:9", "width", 192),
    "width": (192, "width", 192),
    "height": (192, "height", 192),
    "count": (2, "n_iter", 2),
    "steps": (9, "steps", 9),
    "cfg_scale": (5.5, "cfg_scale", 5.5),
    "sampler": ("DPM++ 2M", "sampler_name", "DPM++ 2M"),
    "scheduler": ("Exponential", "scheduler", "Exponential"),
    "seed": (123, "seed", 123),
    "lora": ("watercolour:0.5", "prompt", "a fox <lora:watercolour:0.5>"),
    "vae": ("clear.pt", "override_settings.sd_vae", "clear.pt"),
    "clip_skip": (2, "override_settings.CLIP_stop_at_last_layers", 2),
    "hires": (1.5, "hr_scale", 1.5),
    "control_image": (PICTURE, f"{CONTROL}.model", CANNY),
    "control_model": (DEPTH, f"{CONTROL}.model", DEPTH),
    "face_image": (PICTURE, f"{SWAP}.1", True),
    "more": ("steps 11 · cfg 3", "steps", 11),
}
ALONGSIDE: Mapping[str, Mapping[str, Any]] = {
    "control_image": {"control_model": CANNY},
    "control_model": {"control_image": PICTURE},
}
GUIDED: Mapping[str, Any] = {"control_image": PICTURE, "control_model": CANNY}
MASKED: Mapping[str, Any] = {"image": PICTURE, "mask": MASK}
REMIXED: Mapping[str, Any] = {"image": PICTURE}
FACED: Mapping[str, Any] = {"face_image": PICTURE}
LINES: Mapping[str, tuple[str, Mapping[str, Any], str, Any]] = {
    "size": ("192x128", {}, "width", 192),
    "width": ("192", {}, "width", 192),
    "height": ("192", {}, "height", 192),
    "steps": ("9", {}, "steps", 9),
    "cfg": ("5,5", {}, "cfg_scale", 5.5),
    "count": ("2", {}, "n_iter", 2),
    "prompt": ('"a fox; in snow"', {}, "prompt", "a fox; in snow"),
    "negative_prompt": ("fog", {}, "negative_prompt", "fog"),
    "model": (MODEL, {}, "override_settings.sd_model_checkpoint", MODEL),
    "sampler": ("DPM++ 2M", {}, "sampler_name", "DPM++ 2M"),
    "scheduler": ("Exponential", {}, "scheduler", "Exponential"),
    "seed": ("123", {}, "seed", 123),
    "strength": ("0.4", REMIXED, "denoising_strength", 0.4),
    "lora": ("watercolour:0.5, add-detail", {}, "prompt", "a fox <lora:watercolour:0.5> <lora:add-detail:1>"),
    "style": ('"oil, thick"', {}, "styles", ["oil, thick"]),
    "vae": ("clear.pt", {}, "override_settings.sd_vae", "clear.pt"),
    "clip_skip": ("2", {}, "override_settings.CLIP_stop_at_last_layers", 2),
    "hires": ("1.5", {}, "hr_scale", 1.5),
    "hires_upscaler": ("Latent", {}, "hr_upscaler", "Latent"),
    "hires_steps": ("3", {}, "hr_second_pass_steps", 3),
    "hires_strength": ("0.3", {}, "denoising_strength", 0.3),
    "refiner": ("random15@0.7", {}, "refiner_switch_at", 0.7),
    "tiling": ("on", {}, "tiling", True),
    "restore_faces": ("on", {}, "restore_faces", True),
    "variation": ("5:0.2", {}, "subseed_strength", 0.2),
    "resize": ("fill", REMIXED, "resize_mode", 2),
    "mask_blur": ("9", MASKED, "mask_blur", 9),
    "mask_fill": ("noise", MASKED, "inpainting_fill", 2),
    "mask_padding": ("16", MASKED, "inpaint_full_res_padding", 16),
    "mask_invert": ("on", MASKED, "inpainting_mask_invert", 1),
    "control_model": (DEPTH, {"control_image": PICTURE}, f"{CONTROL}.model", DEPTH),
    "control_module": ("softedge_pidinet", GUIDED, f"{CONTROL}.module", "softedge_pidinet"),
    "control_weight": ("0.6", GUIDED, f"{CONTROL}.weight", 0.6),
    "control_start": ("0.1", GUIDED, f"{CONTROL}.guidance_start", 0.1),
    "control_end": ("0.9", GUIDED, f"{CONTROL}.guidance_end", 0.9),
    "control_mode": ("control", GUIDED, f"{CONTROL}.control_mode", "ControlNet is more important"),
    "control_resize": ("fill", GUIDED, f"{CONTROL}.resize_mode", "Resize and Fill"),
    "control_pixel_perfect": ("off", GUIDED, f"{CONTROL}.pixel_perfect", False),
    "detail": ("face_yolov8n.pt", {}, f"{DETAIL}.ad_model", "face_yolov8n.pt"),
    "detail_prompt": ("eyes", {}, f"{DETAIL}.ad_prompt", "eyes"),
    "detail_negative": ("blur", {}, f"{DETAIL}.ad_negative_prompt", "blur"),
    "detail_confidence": ("0.5", {}, f"{DETAIL}.ad_confidence", 0.5),
    "detail_strength": ("0.3", {}, f"{DETAIL}.ad_denoising_strength", 0.3),
    "face_source": ("1", FACED, f"{SWAP}.2", "1"),
    "face_target": ("2", FACED, f"{SWAP}.3", "2"),
    "face_restorer": ("GFPGAN", FACED, f"{SWAP}.5", "GFPGAN"),
}
ELSEWHERE = {"preset", "like", "spoiler", "private"}
"""Options that say something about the order itself; each has a test of its own below."""


@dataclass
class Studio:
    """A bot with a WebUI that has everything."""

    discord: Discord
    server: StandInWebUI

    async def paint(self, path: str = "draw", **values: Any) -> tuple[Message, dict[str, Any]]:
        """Let Ada order something and return the result and what the WebUI was sent for it."""
        before = len(self.sent)
        act = await self.discord.as_(self.discord.world.ada).slash(path, **values)
        message = await result(act)
        [sent] = self.sent[before:]
        return message, sent

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Every order that the WebUI got."""
        return [seen.json for seen in self.server.seen if seen.path in PAINTS and seen.method == "POST"]

    async def settings(self, message: Message) -> str:
        """Press Settings and return the command, from the file if it comes as one."""
        act = await self.discord.as_(self.discord.world.ada).press(message, "Settings")
        text = await private(self.discord, act)
        if "```" in text:
            return text.split("```")[1].strip()
        [file] = act.message.attachments
        return file.data.decode().split("\n", maxsplit=1)[0]

    def parsed(self, command: str) -> tuple[str, dict[str, Any]]:
        """Read a pasted command as Discord's client does: each option up to the next one's name."""
        path, _, rest = command.removeprefix("/").partition(" ")
        found = self.discord.commands.find(path)
        assert found is not None
        schema = {option["name"]: option["type"] for option in dict(leaves(found))[path]}
        names = "|".join(schema)
        pieces = re.split(rf"(?:^|\s)({names}):", rest)[1:]
        casts: dict[int, Callable[[str], Any]] = {3: str, 4: int, 5: lambda text: text == "True", 10: float}
        return path, {
            name: casts[schema[name]](text.strip()) for name, text in zip(pieces[::2], pieces[1::2], strict=True)
        }


PAINTS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    clock = Time()
    with pytest.MonkeyPatch.context() as patch:
        async with Discord(clock=clock) as discord, StandInWebUI() as server:
            patch.setattr(dpy.http.Route, "BASE", discord.api_url)
            patch.setattr(dpy.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord.gateway_url))
            described = spec.Spec().watch(discord) if spec.location().is_file() else None
            server.scripts = ["controlnet", "ADetailer", "reactor"]
            server.styles = {"ink": ("in ink", ""), "oil, thick": ("in oil", "")}
            server.vaes = ["clear.pt"]
            environ = {
                "DISCORD_TOKEN": discord.token,
                "EASEL_DISCORD_API": discord.api_url,
                "EASEL_DATA_DIR": str(tmp_path_factory.mktemp("data")),
                "EASEL_BACKENDS": f"webui={server.url}",
                "EASEL_DEFAULT_WIDTH": "128",
                "EASEL_DEFAULT_HEIGHT": "128",
            }
            async with Bot(discord, environ, clock):
                ada = discord.as_(discord.world.ada)
                await eventually(lambda: ada.autocomplete("draw", "vae", ""))
                yield Studio(discord, server)
            assert not discord.unplayed
            assert described is None or not described.problems


def at(sent: Any, path: str) -> Any:
    """Return what stands at a dotted path of a payload."""
    for key in path.split("."):
        sent = sent[int(key)] if isinstance(sent, list) else sent[key]
    return sent


def same(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload without the id that every task has of its own."""
    return {key: value for key, value in sent.items() if key != "force_task_id"}


async def test_every_option_and_every_name_has_a_case() -> None:
    assert {*OPTIONS, *ELSEWHERE} == set(DRAW)
    assert {*LINES, *ELSEWHERE} == {setting.name for setting in SETTINGS}
    assert {*DRAW, "image", "link", "mask", "area", "strength"} >= set(REMIX)


@pytest.mark.parametrize("name", OPTIONS)
async def test_an_option_reaches_the_backend(studio: Studio, name: str) -> None:
    value, field, expected = OPTIONS[name]
    base = {key: each for key, each in BASE.items() if name != "more" or key != "steps"}
    _, sent = await studio.paint(**{**base, **ALONGSIDE.get(name, {}), name: value})
    assert at(sent, field) == expected


@pytest.mark.parametrize("name", LINES)
async def test_a_name_in_more_reaches_the_backend(studio: Studio, name: str) -> None:
    sent = await more(studio, name)
    assert at(sent[1], LINES[name][2]) == LINES[name][3]


async def more(studio: Studio, name: str) -> tuple[Message, dict[str, Any]]:
    text, alongside, _, _ = LINES[name]
    line = f"{name} {text}"
    if name.startswith("detail_"):
        line = f"detail face_yolov8n.pt · {line}"
    base = {key: each for key, each in BASE.items() if key != name}
    path = "remix" if "image" in alongside else "draw"
    return await studio.paint(path, **base, **alongside, more=line)


@pytest.mark.parametrize("name", sorted({*OPTIONS} - {"prompt", "more"}))
async def test_the_settings_of_an_option_pasted_as_a_command_paint_the_same(studio: Studio, name: str) -> None:
    value, _, _ = OPTIONS[name]
    message, sent = await studio.paint(**{**BASE, **ALONGSIDE.get(name, {}), name: value})
    path, values = studio.parsed(await studio.settings(message))
    _, again = await studio.paint(path, **values)
    assert same(again) == same(sent)


@pytest.mark.parametrize("name", LINES)
async def test_the_settings_of_a_name_pasted_as_a_command_paint_the_same(studio: Studio, name: str) -> None:
    message, sent = await more(studio, name)
    path, values = studio.parsed(await studio.settings(message))
    _, again = await studio.paint(path, **values)
    assert same(again) == same(sent)


@pytest.mark.parametrize(
    "prompt",
    [
        "a {red|blue} fox",
        r"a \{literal\} fox, \__nowhere__",
        "steps:9 is no option here, model:x neither",
        'a "fox" · and; so on',
        "x" * 1500,
        "two  spaces",
    ],
)
async def test_any_prompt_comes_out_of_its_settings_as_it_was(studio: Studio, prompt: str) -> None:
    message, sent = await studio.paint(**{**BASE, "prompt": prompt})
    path, values = studio.parsed(await studio.settings(message))
    _, again = await studio.paint(path, **values)
    assert same(again) == same(sent)


async def test_a_hidden_picture_stays_hidden_when_it_is_painted_again(studio: Studio) -> None:
    message, sent = await studio.paint(**BASE, spoiler=True)
    path, values = studio.parsed(await studio.settings(message))
    assert values["spoiler"] is True
    hidden, again = await studio.paint(path, **values)
    assert same(again) == same(sent)
    assert hidden.attachments[0].filename.startswith("SPOILER_")
