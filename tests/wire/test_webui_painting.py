import asyncio
import json
from base64 import b64encode
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.backends.webui import answers, listings
from bot.backends.webui.listings import Choice
from bot.domain.capability import Listing
from bot.domain.errors import RejectedError
from bot.domain.request import Lora
from bot.imaging import pngtext
from bot.imaging.sniffing import sniff
from tests.standins.webui import Fault, png, recording
from tests.wire.workbench import QUICK, Bench, order, painted


async def test_a_picture_comes_back_as_the_server_made_it(bench: Bench) -> None:
    painting, _ = await painted(bench.client(), order(sampler="Euler a", scheduler="Karras", model="random15"))
    (picture,) = painting.pictures
    assert (picture.media_type, picture.width, picture.height, picture.seed) == ("image/png", 64, 64, 5)
    assert picture.infotext.startswith("a cat\nSteps: 4, Sampler: Euler a")
    assert picture.data == png(64, 64, 5, picture.infotext)
    assert (painting.model, painting.sampler, painting.scheduler) == ("random15", "Euler a", "Karras")
    assert painting.notes == ()


async def test_several_pictures_have_their_own_seeds(bench: Bench) -> None:
    painting, _ = await painted(bench.client(), order(count=3))
    assert [picture.seed for picture in painting.pictures] == [5, 6, 7]


async def test_a_source_picture_goes_along(bench: Bench) -> None:
    source = png(64, 64, 1, noise_bytes=2_000_000)
    await painted(bench.client(), order(init_image="hash", strength=0.4), init_image=source)
    (sent,) = bench.server.posts("/sdapi/v1/img2img")
    assert (sent["denoising_strength"], len(sent["init_images"])) == (0.4, 1)


async def test_the_servers_own_options_are_never_changed(bench: Bench) -> None:
    client = bench.client()
    await client.capabilities()
    await painted(client, order(model="dreamshaper_8", loras=(Lora("add-detail", 0.5),)))
    (sent,) = bench.server.posts("/sdapi/v1/txt2img")
    assert sent["override_settings"] == {"CLIP_stop_at_last_layers": 1, "sd_model_checkpoint": "dreamshaper_8"}
    assert sent["override_settings_restore_afterwards"] is True
    assert bench.server.posts("/sdapi/v1/options") == []


async def test_lists_are_plain_names(bench: Bench, snapshot: SnapshotAssertion) -> None:
    found = await bench.client().capabilities()
    assert found.loaded_model == "random15"
    assert {listing.value: names for listing, names in found.listings.items()} == snapshot


async def test_an_old_server_without_schedulers_gets_combined_names(bench: Bench) -> None:
    bench.server.old = True
    old = [{"name": "DPM++ 2M Karras", "aliases": [], "options": {}}]
    bench.server.replay["/sdapi/v1/samplers"] = (200, json.dumps(old).encode())
    client = bench.client()
    assert Listing.SCHEDULERS not in (await client.capabilities()).listings
    await painted(client, order(sampler="DPM++ 2M", scheduler="Karras"))
    (sent,) = bench.server.posts("/sdapi/v1/txt2img")
    assert sent["sampler_name"] == "DPM++ 2M Karras"
    assert "scheduler" not in sent


async def test_a_combined_name_is_taken_apart_for_a_new_server(bench: Bench) -> None:
    painting, _ = await painted(bench.client(), order(sampler="DPM++ 2M Karras"))
    assert (painting.sampler, painting.scheduler) == ("DPM++ 2M", "Karras")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "dreamshaper_9"}, "has no model “dreamshaper_9”. The nearest is “dreamshaper_8”"),
        ({"sampler": "euler b"}, "has no sampler “euler b”. The nearest is “Euler"),
        ({"scheduler": "karas"}, "has no scheduler “karas”. The nearest is “Karras”"),
        ({"loras": (Lora("add detail!"),)}, "has no lora “add detail!”. The nearest is “add-detail”"),
    ],
)
async def test_a_name_the_server_lacks_is_refused_before_it_is_sent(
    bench: Bench, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        await painted(bench.client(), order(**changes))
    assert words in str(caught.value)
    assert bench.server.posts("/sdapi/v1/txt2img") == []


async def test_a_model_that_was_added_meanwhile_is_found(bench: Bench) -> None:
    client = bench.client()
    await client.capabilities()
    bench.server.models.append("new_model")
    painting, _ = await painted(client, order(model="new_model"))
    assert painting.model == "new_model"


@pytest.mark.parametrize(
    ("fault", "changes", "note"),
    [
        (Fault.LIE, {"sampler": "Euler a"}, answers.OTHER_SAMPLER),
        (Fault.SMALLER, {"width": 68}, answers.OTHER_SIZE),
    ],
)
async def test_what_came_out_other_than_asked_is_said(
    bench: Bench, fault: Fault, changes: dict[str, object], note: str
) -> None:
    bench.server.fault = fault
    painting, _ = await painted(bench.client(), order(**changes))
    assert painting.notes == (note,)


@pytest.mark.parametrize(
    ("prompt", "notes"),
    [
        ("a cat <lora:unknown:1>", (answers.NO_LORA,)),
        ("a cat <lora:watercolour:1>", ()),
        ("a cat <lora:Aquarelle:1>", ()),
    ],
)
async def test_a_lora_in_the_prompt_that_is_not_there_is_said(
    bench: Bench, prompt: str, notes: tuple[str, ...]
) -> None:
    listed = [{"name": "watercolour", "alias": "aquarelle", "path": "/loras/w.safetensors", "metadata": {}}]
    bench.server.replay["/sdapi/v1/loras"] = (200, json.dumps(listed).encode())
    painting, _ = await painted(bench.client(), order(prompt=prompt))
    assert painting.notes == notes


async def test_a_lora_of_a_server_that_lists_none_is_left_to_it(bench: Bench) -> None:
    bench.server.replay["/sdapi/v1/loras"] = (404, b'{"detail": "Not Found"}')
    painting, _ = await painted(bench.client(), order(prompt="a cat <lora:unknown:1>"))
    assert painting.notes == ()


async def test_a_grid_in_front_is_left_out(bench: Bench) -> None:
    bench.server.fault = Fault.GRID
    painting, _ = await painted(bench.client(), order(count=2))
    assert [(p.width, p.seed) for p in painting.pictures] == [(64, 5), (64, 6)]


async def test_a_server_that_tells_nothing_still_gives_its_picture(bench: Bench) -> None:
    bench.server.fault = Fault.BARE
    painting, _ = await painted(bench.client(), order(count=2))
    assert [(p.seed, p.infotext) for p in painting.pictures] == [(5, ""), (6, "")]
    assert painting.model is None


async def test_the_type_of_the_answer_does_not_matter(bench: Bench) -> None:
    bench.server.fault = Fault.WRONG_TYPE
    assert len((await painted(bench.client(), order()))[0].pictures) == 1


@pytest.mark.parametrize("ui", [True, False])
async def test_progress_only_goes_forward_and_shows_previews(bench: Bench, ui: bool) -> None:
    bench.server.ui, bench.server.step_s = ui, 0.03
    _, told = await painted(bench.client(), order(steps=5, count=2))
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 1
    assert {progress.steps for progress in told} == {10}
    previews = [progress.preview for progress in told if progress.preview]
    assert all((sniff(p) or pytest.fail("no picture")).media_type == "image/webp" for p in previews)
    assert bool(previews) is ui


@pytest.mark.parametrize("ui", [True, False])
async def test_the_progress_of_somebody_elses_job_is_not_ours(bench: Bench, ui: bool) -> None:
    bench.server.ui, bench.server.step_s = ui, 0.04
    other = bench.client()
    async with asyncio.TaskGroup() as group:
        group.create_task(painted(other, order(steps=8), task="other"))
        await bench.server.begun("other")
        ours = group.create_task(painted(bench.client(), order(steps=2, count=1)))
        await bench.server.begun("1-1")
        assert bench.server.painted == ["other"]
    told = ours.result()[1]
    assert len(told) <= 6


async def test_a_recorded_answer_is_read() -> None:
    body = bytearray(json.dumps(recording("txt2img")["body"]).encode())
    request = order(negative_prompt="dog", steps=2, sampler="Euler a")
    painting = answers.painting("webui-1", body, request, Choice(None, "Euler a", None), 1.0)
    (picture,) = painting.pictures
    assert (picture.width, picture.height, picture.seed, painting.model) == (64, 64, 5, "random15")
    assert pngtext.read(picture.data) == picture.infotext
    assert (painting.scheduler, painting.notes) == ("Automatic", ())


async def test_a_recorded_silent_fallback_is_noticed() -> None:
    recorded = recording("error_unknown_sampler")["body"]
    recorded["images"] = recording("txt2img")["body"]["images"]
    body = bytearray(json.dumps(recorded).encode())
    painting = answers.painting("webui-1", body, order(steps=2), Choice("nope", "Nope", None), 1.0)
    assert painting.sampler == "DPM++ 2M"
    assert set(painting.notes) == {answers.OTHER_MODEL, answers.OTHER_SAMPLER}


def test_a_png_without_its_recipe_gets_the_one_the_answer_tells() -> None:
    recorded = recording("txt2img")["body"] | {"images": [b64encode(png(64, 64, 5)).decode()]}
    body = bytearray(json.dumps(recorded).encode())
    (picture,) = answers.painting("webui-1", body, order(), Choice(None, None, None), 1.0).pictures
    assert picture.infotext.startswith("a cat\nNegative prompt: dog\nSteps: 2, Sampler: Euler a")
    assert pngtext.read(picture.data) == picture.infotext


def test_a_model_is_found_by_any_name_it_goes_by() -> None:
    models = listings.read(Listing.MODELS, json.dumps(recording("get_sd_models")["body"]).encode())
    for name in (
        "random15",
        "RANDOM15",
        "random15.safetensors",
        "random15.safetensors [dba7816360]",
        "dba7816360",
    ):
        assert listings.find(name, models) == "random15"
    assert listings.find("random", models) is None


async def test_png_info_is_read_by_the_server(bench: Bench) -> None:
    assert (await bench.client().read_infotext(png(8, 8, 1))).startswith("a cat\nNegative prompt: dog")


async def test_basic_auth_opens_the_door(bench: Bench) -> None:
    bench.server.auth = ("böt", "s:ecret")
    client = bench.client(auth=("böt", "s:ecret"))
    await client.health()
    assert len((await painted(client, order()))[0].pictures) == 1


async def test_a_job_takes_no_more_requests_than_it_needs(bench: Bench) -> None:
    client = bench.client(replace(QUICK, poll_s=5.0))
    await painted(client, order(), task="1-1")
    bench.server.seen.clear()
    await painted(client, order(), task="2-1")
    # The second asks whether somebody interrupted it: nothing in the answer tells a half-done picture.
    assert [seen.path for seen in bench.server.seen] == ["/sdapi/v1/txt2img", "/sdapi/v1/progress"]
