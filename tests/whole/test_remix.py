"""Everything that pictures can be in an order: source, mask, area, control picture, face; and what is no use."""

import io
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.domain.codes import code
from bot.rehearsal import Discord
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole import pictures
from tests.whole.conftest import Start, Time
from tests.whole.play import draw, eventually, private, result

CANNY, DEPTH = "control_v11p_sd15_canny", "control_v11f1p_sd15_depth"
TEAL, ORANGE = (0, 128, 128), (255, 165, 0)
PAINTED, KEPT = 255, 0


@pytest_asyncio.fixture
async def server(discord: Discord, start: Start) -> AsyncIterator[StandInWebUI]:
    """A WebUI with ControlNet and ReActor that the bot paints with and knows already."""
    async with StandInWebUI() as server:
        server.scripts = ["controlnet", "reactor"]
        size = {"EASEL_DEFAULT_WIDTH": "256", "EASEL_DEFAULT_HEIGHT": "256"}
        async with start(EASEL_BACKENDS=f"webui={server.url}", **size):
            ada = discord.as_(discord.world.ada)
            await eventually(lambda: ada.autocomplete("remix", "control_model", "canny"))
            yield server


def picture(colour: str = "teal", width: int = 192, height: int = 96, **how: Any) -> Attachment:
    """Return an attached PNG of one colour."""
    return Attachment(f"{colour}.png", pictures.encoded(Image.new("RGB", (width, height), colour), "PNG"), **how)


def mask(width: int = 96, height: int = 48, **how: Any) -> Attachment:
    """Return an attached mask whose left half is white."""
    image = Image.new("L", (width, height), KEPT)
    image.paste(PAINTED, (0, 0, width // 2, height))
    return Attachment("mask.png", pictures.encoded(image, "PNG"), **how)


def decoded(sent: str) -> Image.Image:
    """Return a picture as it came over the wire."""
    image = Image.open(io.BytesIO(b64decode(sent)))
    image.load()
    return image


def grey(image: Image.Image, x: int, y: int) -> int:
    """Return a mask's tone at a place."""
    return int(str(image.convert("L").getpixel((x, y))))


async def remixed(discord: Discord, server: StandInWebUI, **values: Value) -> dict[str, Any]:
    """Let Ada remix and return what arrived at the backend."""
    before = len(server.posts("/sdapi/v1/img2img"))
    await result(await discord.as_(discord.world.ada).slash("remix", **{"prompt": "a fox", **values}))
    [sent] = server.posts("/sdapi/v1/img2img")[before:]
    return dict(sent)


async def refused(discord: Discord, **values: Value) -> str:
    """Let Ada try to remix and return the private words of the refusal, after which nothing is left in public."""
    act = await discord.as_(discord.world.ada).slash("remix", **{"prompt": "a fox", **values})
    text = await private(discord, act)
    assert not [message for message in discord.world.channel.messages if not message.ephemeral]
    return text


async def test_a_mask_of_any_size_arrives_in_the_size_of_its_picture(
    discord: Discord, server: StandInWebUI
) -> None:
    sent = await remixed(discord, server, image=picture(), mask=mask(), strength=0.8)
    [init] = map(decoded, sent["init_images"])
    arrived = decoded(sent["mask"])
    assert init.size == arrived.size == (192, 96)
    assert init.convert("RGB").getpixel((5, 5)) == TEAL
    assert [grey(arrived, x, 48) for x in (10, 80, 112, 180)] == [PAINTED, PAINTED, KEPT, KEPT]
    wanted = {"denoising_strength": 0.8, "mask_blur": 4, "inpainting_fill": 1, "inpainting_mask_invert": 0}
    assert {name: sent[name] for name in wanted} == wanted
    assert sent["inpaint_full_res"] is False
    assert sent["width"] == 2 * sent["height"], "the size follows the picture"


async def test_masks_of_every_kind_are_understood(discord: Discord, server: StandInWebUI) -> None:
    plain = Image.open(io.BytesIO(mask().data))
    drawn = Image.new("RGBA", plain.size)
    drawn.paste((0, 0, 0, 255), (0, 0, 48, 48))
    other = Image.new("L", plain.size, PAINTED)
    exif = Image.Exif()
    exif[0x0112] = 3
    for name, data in (
        ("drawn.png", pictures.encoded(drawn, "PNG")),
        ("phone.jpg", pictures.encoded(plain.rotate(180), "JPEG", exif=exif)),
        ("print.jpg", pictures.encoded(plain.convert("CMYK"), "JPEG")),
        ("moving.gif", pictures.encoded(plain, "GIF", save_all=True, append_images=[other])),
        ("moving.webp", pictures.encoded(plain, "WEBP", save_all=True, append_images=[other], lossless=True)),
        ("palette.png", pictures.encoded(plain.convert("P"), "PNG")),
        ("deep.png", pictures.encoded(plain.convert("I;16").point(lambda tone: tone * 257), "PNG")),
    ):
        sent = await remixed(discord, server, image=picture(), mask=Attachment(name, data))
        arrived = decoded(sent["mask"])
        assert grey(arrived, 20, 48) > 240, name
        assert grey(arrived, 170, 48) < 15, name


async def test_an_area_is_a_mask_in_words(discord: Discord, server: StandInWebUI) -> None:
    for area, box in (
        ("right half", (96, 0, 192, 96)),
        ("96,48,20,10", (96, 48, 116, 58)),
        ("50%,0,25%,100%", (96, 0, 144, 96)),
    ):
        sent = await remixed(discord, server, image=picture(), area=area)
        assert decoded(sent["mask"]).getbbox() == box
        assert sent["denoising_strength"] == 0.6


async def test_what_is_transparent_in_a_picture_is_painted(discord: Discord, server: StandInWebUI) -> None:
    image = Image.new("RGBA", (192, 96), (*TEAL, 255))
    image.paste((0, 0, 0, 0), (64, 32, 128, 64))
    holed = Attachment("holed.png", pictures.encoded(image, "PNG"))
    sent = await remixed(discord, server, image=holed, area="transparent")
    assert decoded(sent["mask"]).getbbox() == (64, 32, 128, 64)
    [init] = map(decoded, sent["init_images"])
    assert init.mode == "RGB"
    red, green, _ = init.getpixel((96, 48))  # type: ignore[misc]
    assert (red < 60, green > 90) == (True, True), "it begins with the colours around it"


async def test_a_picture_is_extended_on_a_larger_canvas(discord: Discord, server: StandInWebUI) -> None:
    source = picture(width=512, height=256)
    sent = await remixed(discord, server, image=source, area="extend right 50%")
    [init] = map(decoded, sent["init_images"])
    arrived = decoded(sent["mask"])
    assert (sent["width"], sent["height"]) == init.size == arrived.size == (768, 256)
    assert [grey(arrived, x, 128) for x in (400, 512, 767)] == [KEPT, PAINTED, PAINTED]
    assert sent["denoising_strength"] == 0.9, "nothing but colours is there to begin with"
    sent = await remixed(discord, server, image=source, area="extend all", strength=0.7, size="128x64")
    assert decoded(sent["mask"]).size == (768, 384)
    assert (sent["width"], sent["height"], sent["denoising_strength"]) == (128, 64, 0.7), "unless it was asked for"
    small = await remixed(discord, server, image=picture(width=64, height=64), area="extend down")
    assert 0.9 < small["width"] * small["height"] / 256**2 <= 1, "a small one becomes as large as usual"


async def test_areas_are_suggested_where_a_backend_can_paint_them(discord: Discord, server: StandInWebUI) -> None:
    ada = discord.as_(discord.world.ada)
    assert [c["value"] for c in await ada.autocomplete("remix", "area", "half")][:2] == ["left half", "right half"]
    assert "extend up 50%" in {c["value"] for c in await ada.autocomplete("remix", "area", "extend up")}
    assert server.posts("/sdapi/v1/img2img") == []


@pytest.mark.usefixtures("easel")
async def test_what_no_backend_can_is_not_suggested_and_refused_if_typed(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    for option in ("area", "control_model"):
        assert await ada.autocomplete("remix", option, "") == []
    for values, what in (
        ({"area": "center"}, "inpainting"),
        ({"mask": mask()}, "inpainting"),
        ({"control_image": picture("orange")}, "ControlNet"),
        ({"face_image": picture("red")}, "face swapping"),
    ):
        assert f"No backend here has {what}" in await refused(discord, image=picture(), **values)


async def test_source_mask_control_picture_and_face_arrive_together(
    discord: Discord, server: StandInWebUI
) -> None:
    clear = Image.new("RGBA", (64, 64), (*ORANGE, 255))
    clear.paste((0, 0, 0, 0), (0, 0, 32, 64))
    sent = await remixed(
        discord,
        server,
        image=picture(),
        mask=mask(),
        control_image=Attachment("clear.png", pictures.encoded(clear, "PNG")),
        control_model=CANNY,
        face_image=picture("red", 64, 64),
    )
    assert decoded(sent["init_images"][0]).convert("RGB").getpixel((5, 5)) == TEAL
    assert decoded(sent["mask"]).size == (192, 96)
    [unit] = sent["alwayson_scripts"]["controlnet"]["args"]
    read = decoded(unit["image"])
    assert (read.mode, read.getpixel((5, 5)), read.getpixel((60, 5))) == ("RGB", (255, 255, 255), ORANGE)
    assert unit["model"].startswith(CANNY)
    assert (unit["enabled"], unit["weight"], unit["guidance_end"]) == (True, 1.0, 1.0)
    face, on, *_ = sent["alwayson_scripts"]["reactor"]["args"]
    assert (decoded(face).getpixel((9, 9)), on) == ((255, 0, 0), True)


async def test_without_a_control_picture_the_control_net_reads_the_source(
    discord: Discord, server: StandInWebUI
) -> None:
    sent = await remixed(discord, server, image=picture("orange"), control_model="depth")
    [unit] = sent["alwayson_scripts"]["controlnet"]["args"]
    assert unit["image"] == sent["init_images"][0]
    assert unit["model"].startswith(DEPTH), "a part of the name is enough"


async def test_a_control_picture_without_a_model_is_asked_about_if_several_would_do(
    discord: Discord, server: StandInWebUI
) -> None:
    text = await refused(discord, image=picture(), control_image=picture("orange"))
    assert "Choose one as control" in text
    assert "canny" in text
    text = await refused(discord, image=picture(), control_image=picture("orange"), control_model="poses of cats")
    assert "There is no control" in text
    assert server.posts("/sdapi/v1/img2img") == []


async def test_the_only_control_model_is_taken_without_asking_and_a_module_that_suits_it(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as server:
        server.scripts, server.controlnet_models = ["controlnet"], ["control_v11p_sd15_openpose [cab727d4]"]
        async with start(EASEL_BACKENDS=f"webui={server.url}"):
            ada = discord.as_(discord.world.ada)
            await eventually(lambda: ada.autocomplete("remix", "control_model", "pose"))
            given: dict[str, Value] = {"image": picture(), "control_image": picture("orange")}
            sent = await remixed(discord, server, **given)
            [unit] = sent["alwayson_scripts"]["controlnet"]["args"]
            assert unit["model"].startswith("control_v11p_sd15_openpose")
            assert unit["module"] == "openpose_full"
            sent = await remixed(discord, server, more="control_module none · control_weight 0.5", **given)
            [unit] = sent["alwayson_scripts"]["controlnet"]["args"]
            assert ("module" in unit, unit["weight"]) == (False, 0.5), "a pose that is drawn already"
            sent = await remixed(discord, server, image=picture(), control_image=picture("red"), like=code(2))
            [unit] = sent["alwayson_scripts"]["controlnet"]["args"]
            assert ("module" in unit, unit["weight"]) == (False, 0.5), "like before, but for the picture"
            assert decoded(unit["image"]).getpixel((5, 5)) == (255, 0, 0)
            text = await private(
                discord, await ada.slash("remix", image=picture(), prompt="a fox", face_image=picture())
            )
            assert "No backend here has face swapping" in text


async def test_the_last_result_is_painted_over_if_no_picture_is_attached(
    discord: Discord, server: StandInWebUI
) -> None:
    assert "no picture in this channel" in await refused(discord)
    await draw(discord, prompt="a fox", width=192, height=128)
    hidden = await draw(discord, prompt="a bear", width=128, height=192, spoiler=True)
    await draw(discord, discord.world.bruno, prompt="a wolf")
    act = await discord.as_(discord.world.ada).slash("remix", prompt="a bear at night")
    message = await result(act)
    [sent] = server.posts("/sdapi/v1/img2img")
    [init] = map(decoded, sent["init_images"])
    with Image.open(io.BytesIO(hidden.attachments[0].data)) as seen:
        assert init.convert("RGB").tobytes() == seen.convert("RGB").tobytes()
    assert sent["width"] < sent["height"]
    assert message.attachments[0].spoiler, "what was hidden stays hidden"
    elsewhere = discord.as_(discord.world.carla, discord.world.other_channel)
    assert "no picture in this channel" in await private(discord, await elsewhere.slash("remix", prompt="a cat"))


async def test_whichever_picture_was_hidden_hides_the_result(discord: Discord, server: StandInWebUI) -> None:
    given = {"image": picture(), "mask": mask(), "control_image": picture("orange"), "face_image": picture("red")}
    ada = discord.as_(discord.world.ada)
    for option, file in given.items():
        hidden = given | {option: Attachment(f"SPOILER_{option}.png", file.data)}
        message = await result(await ada.slash("remix", prompt="a fox", control_model=CANNY, **hidden))
        assert message.attachments[0].spoiler, option
    assert len(server.posts("/sdapi/v1/img2img")) == len(given)


@pytest.mark.usefixtures("server")
async def test_a_picture_that_is_no_use_refuses_the_order_by_its_name(discord: Discord) -> None:
    for option, data, name, words in (
        ("image", pictures.truncated_png(), "The picture to start from", "damaged or incomplete"),
        ("mask", pictures.truncated_png(), "The mask", "damaged or incomplete"),
        ("mask", b"no picture", "The mask", "not a picture that can be read"),
        ("mask", pictures.encoded(Image.new("L", (9, 9), KEPT), "PNG"), "The mask", "black all over"),
        ("mask", pictures.encoded(Image.new("L", (9, 9), PAINTED), "PNG"), "The mask", "white all over"),
        ("control_image", pictures.bomb(), "The control picture", "900 megapixels"),
        ("face_image", b"", "The picture of a face", "not a picture that can be read"),
    ):
        given: dict[str, Value] = {"image": picture(), "control_model": CANNY, option: Attachment("a.png", data)}
        text = await refused(discord, **given)
        assert name in text
        assert words in text


@pytest.mark.usefixtures("server")
async def test_what_can_be_told_without_fetching_is_refused_at_once(discord: Discord) -> None:
    notes = Attachment("notes.txt", b"just words")
    for values, words in (
        ({"mask": notes}, "The mask"),
        ({"face_image": notes}, "That file is not a picture."),
        ({"mask": mask(), "area": "center"}, "Leave one of the two out"),
        ({"area": "the cat"}, "“the cat” is no area that I know."),
        ({"area": "extend up 300%"}, "between 1 and 100 percent"),
        ({"control_model": "control_v11p_sd15_cany"}, "The nearest is"),
        ({"face_image": Attachment("a.png", bytes(26 << 20))}, "at most 26 MB"),
    ):
        act = await discord.as_(discord.world.ada).slash("remix", image=picture(), prompt="a fox", **values)
        assert act.original is not None
        assert act.original.ephemeral, "it is the first answer"
        assert words in act.text


@pytest.mark.usefixtures("server")
async def test_an_area_that_does_not_fit_the_picture_is_refused(discord: Discord) -> None:
    for area, words in (
        ("500,500,10,10", "outside the picture, which has 192×96 px"),
        ("transparent", "Nothing in that picture is transparent"),
        ("0,0,100%,100%", "the whole picture"),
    ):
        assert words in await refused(discord, image=picture(), area=area)


async def test_without_words_a_form_asks_for_them_and_keeps_the_pictures(
    discord: Discord, server: StandInWebUI
) -> None:
    ada = discord.as_(discord.world.ada)
    opened = await ada.slash("remix", image=picture(), area="left half", strength=0.7, spoiler=True)
    message = await result(await ada.submit(opened, {"prompt": "a bear"}))
    [sent] = server.posts("/sdapi/v1/img2img")
    assert (sent["prompt"], sent["denoising_strength"]) == ("a bear", 0.7)
    assert decoded(sent["mask"]).getbbox() == (0, 0, 96, 96)
    assert message.attachments[0].spoiler
    opened = await ada.slash("remix")
    await result(await ada.submit(opened))
    assert server.posts("/sdapi/v1/img2img")[1]["prompt"] == "a bear", "the last result brings its own words"


async def test_like_a_job_everything_is_painted_from_the_same_pictures(
    discord: Discord, server: StandInWebUI
) -> None:
    values: dict[str, Value] = {"mask": mask(), "control_model": CANNY, "face_image": picture("red")}
    first = await remixed(discord, server, image=picture(), seed=7, strength=0.35, **values)
    again = await remixed(discord, server, prompt="an owl", like=code(1))
    same = first.keys() - {"prompt", "force_task_id", "override_settings"}
    assert {name: again[name] for name in same} == {name: first[name] for name in same}
    assert again["prompt"] == "an owl"
    await draw(discord, prompt="a bear", seed=5)
    sent = await remixed(discord, server, like=code(3))
    assert sent["seed"] == 5, "what was painted from words alone is itself the source"
    assert "mask" not in sent


async def test_draw_takes_a_control_picture_and_a_face(discord: Discord, server: StandInWebUI) -> None:
    message = await draw(
        discord,
        control_image=picture("orange"),
        control_model=DEPTH,
        face_image=Attachment("SPOILER_face.png", picture("red").data),
    )
    [sent] = server.posts("/sdapi/v1/txt2img")
    [unit] = sent["alwayson_scripts"]["controlnet"]["args"]
    assert decoded(unit["image"]).getpixel((5, 5)) == ORANGE
    assert decoded(sent["alwayson_scripts"]["reactor"]["args"][0]).getpixel((5, 5)) == (255, 0, 0)
    assert (sent["width"], sent["height"]) == (256, 256), "only a source picture gives the size"
    assert message.attachments[0].spoiler


async def test_past_the_days_that_originals_are_kept_the_last_result_is_fetched_from_its_message(
    discord: Discord, start: Start, clock: Time, tmp_path: Path
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        await draw(discord)
    clock.ahead_s = 8 * 86400
    async with start():
        await discord.until(lambda: not any((tmp_path / "data" / "blobs").glob("??/*")))
        await result(await ada.slash("remix", prompt="an owl"))
    clock.ahead_s = 17 * 86400
    async with start():
        await discord.until(lambda: not any((tmp_path / "data" / "blobs").glob("??/*")))
        await discord.as_(discord.world.moderator).delete(discord.world.channel.messages[-1])
        assert "no longer kept" in await private(discord, await ada.slash("remix", prompt="an owl"))
