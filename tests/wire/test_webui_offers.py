import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.backends.webui.client import WebUI
from bot.domain.capability import Feature, Listing
from bot.domain.errors import (
    RejectedError,
)
from bot.domain.request import (
    Control,
    Detail,
    FaceSwap,
    Lora,
    PaintRequest,
    Refiner,
    Script,
    Variation,
    Workflow,
)
from tests.standins.webui import Kin, png
from tests.wire.workbench import Bench, order

EVERY = pytest.mark.parametrize("kin", Kin)
IMAGES = {"source": png(64, 64, 1)}
TXT2IMG = "/sdapi/v1/txt2img"


async def paint(client: WebUI, request: PaintRequest, task: str = "1-1") -> Any:
    answer = await client.generate(request, task=task, images=IMAGES, on_progress=lambda _: None)
    return await answer.painting()


@EVERY
async def test_every_kin_is_known_by_what_it_answers(bench: Bench, kin: Kin, snapshot: SnapshotAssertion) -> None:
    bench.server.kin = kin
    found = await bench.client().capabilities()
    assert {
        "kin": found.kin,
        "features": sorted(found.features),
        "loaded": found.loaded_model,
        "facts": sorted(found.facts),
        "listings": {listing.value: (len(names), list(names[:4])) for listing, names in found.listings.items()},
    } == snapshot


CONTROL = "control_v11p_sd15_canny [d14c016b]"
LACKING: list[tuple[dict[str, Any], str]] = [
    ({"refiner": Refiner("random15")}, "webui-1 does not have a refiner"),
    ({"restore_faces": True}, "does not have face restoration"),
    ({"controls": (Control("source", CONTROL),)}, "does not have ControlNet"),
    ({"details": (Detail("face_yolov8n.pt"),)}, "does not have ADetailer"),
    ({"face_swap": FaceSwap("source")}, "does not have face swapping"),
    ({"script": Script("x/y/z plot")}, "does not have raw WebUI settings"),
    ({"tiling": True}, "does not have tiling"),
    ({"variation": Variation(1, 0.5)}, "does not have variation seeds"),
    ({"workflow": Workflow("portrait")}, "has no workflow to choose"),
    ({"vae": "anime"}, "has no VAE to choose|has no vae to choose"),
    ({"styles": ("ink",)}, "has no style to choose"),
]


@pytest.mark.parametrize(("changes", "words"), LACKING)
async def test_what_a_server_lacks_is_refused_in_words(bench: Bench, changes: dict[str, Any], words: str) -> None:
    bench.server.kin = Kin.SDCPP
    with pytest.raises(RejectedError, match=words):
        await paint(bench.client(), order(**changes))
    assert bench.server.posts(TXT2IMG) == []


async def test_what_is_installed_is_offered_and_used(bench: Bench) -> None:
    server, client = bench.server, bench.client()
    server.scripts, server.styles = ["controlnet", "ADetailer", "reactor"], {"ink": ("in ink", "")}
    found = await client.capabilities()
    assert {Feature.CONTROL, Feature.DETAIL, Feature.FACE_SWAP, Feature.RESTORE_FACES} <= found.features
    assert found.listings[Listing.CONTROL_MODELS][0] == CONTROL
    assert "softedge_pidinet" in found.listings[Listing.CONTROL_MODULES]
    assert found.listings[Listing.DETAILERS][0] == "face_yolov8n.pt"
    assert found.listings[Listing.STYLES] == ("ink",)
    request = order(
        styles=("ink",),
        restore_faces=True,
        refiner=Refiner("dreamshaper_8", 0.7),
        controls=(Control("source", CONTROL, "softedge_pidinet"),),
        details=(Detail("face_yolov8n.pt"),),
        face_swap=FaceSwap("source", restorer="CodeFormer"),
        script=Script("x/y/z plot", (0, "1,2")),
    )
    painting = await paint(client, request)
    assert len(painting.pictures) == 1
    (sent,) = server.posts(TXT2IMG)
    assert list(sent["alwayson_scripts"]) == ["controlnet", "ADetailer", "reactor"]
    assert len(sent["alwayson_scripts"]["reactor"]["args"]) == 24


async def test_a_forge_without_controlnet_models_does_not_offer_it(bench: Bench) -> None:
    bench.server.kin = Kin.FORGE
    client = bench.client()
    assert Feature.CONTROL not in (await client.capabilities()).features
    bench.server.controlnet_models = [CONTROL]
    assert len((await paint(client, order(controls=(Control("source", CONTROL),)))).pictures) == 1


async def test_a_list_that_fails_for_a_moment_stays_as_it_was(bench: Bench) -> None:
    client = bench.client()
    before = await client.capabilities()
    for path in ("upscalers", "scripts", "options", "schedulers"):
        bench.server.replay[f"/sdapi/v1/{path}"] = (500, b"Internal Server Error")
    assert await client.capabilities() == before
    bench.server.replay["/sdapi/v1/schedulers"] = (404, b'{"detail": "Not Found"}')
    assert Listing.SCHEDULERS not in (await client.capabilities()).listings


async def test_a_kin_is_still_known_when_it_does_not_say_for_a_moment(bench: Bench) -> None:
    bench.server.kin = Kin.SDNEXT
    client = bench.client()
    assert (await client.capabilities()).kin == "SD.Next 2026-07-23 058a7f0cf"
    bench.server.replay["/sdapi/v1/version"] = (500, b"Internal Server Error")
    assert (await client.capabilities()).kin == "SD.Next 2026-07-23 058a7f0cf"


async def test_koboldcpp_is_known_by_its_models(bench: Bench) -> None:
    bench.server.kin = Kin.SDCPP
    bench.server.replay["/sdcpp/v1/capabilities"] = (404, b"")
    found = await bench.client().capabilities()
    assert found.kin == "koboldcpp"
    assert found.features == {Feature.IMG2IMG, Feature.CLIP_SKIP}


async def test_how_much_memory_is_free_is_told_but_no_command_line(bench: Bench) -> None:
    system = {"free": 3 << 30, "used": 5 << 30, "total": 8 << 30}
    memory = {"ram": {"free": 1.0, "used": 1, "total": 2.0}, "cuda": {"system": system}}
    bench.server.replay["/sdapi/v1/memory"] = (200, json.dumps(memory).encode())
    found = await bench.client().capabilities()
    assert found.facts == {"VRAM": "3.0 of 8.0 GiB free"}
    assert not [seen for seen in bench.server.seen if "cmd-flags" in seen.path]


async def test_the_version_is_known_from_the_first_picture_on(bench: Bench) -> None:
    client = bench.client()
    assert (await client.capabilities()).kin == "AUTOMATIC1111"
    await paint(client, order())
    assert (await client.capabilities()).kin == "AUTOMATIC1111 1.10.1"


async def test_what_a_kin_never_has_is_not_offered_whatever_it_lists(bench: Bench) -> None:
    bench.server.kin = Kin.SDNEXT
    bench.server.replay["/sdapi/v1/face-restorers"] = (200, b'[{"name": "CodeFormer"}]')
    bench.server.replay["/sdapi/v1/scripts"] = (200, b'{"txt2img": ["refiner", "demofusion"], "img2img": 3}')
    found = await bench.client().capabilities()
    assert not {Feature.RESTORE_FACES, Feature.REFINER} & found.features
    assert "demofusion" in found.listings[Listing.SCRIPTS]


async def test_detectors_are_listed_by_an_adetailer_that_tells_them(bench: Bench) -> None:
    bench.server.scripts = ["adetailer"]
    bench.server.replay["/adetailer/v1/ad_model"] = (200, b'{"ad_model": ["eyes.pt", "face_yolov8n.pt"]}')
    found = await bench.client().capabilities()
    assert found.listings[Listing.DETAILERS] == ("eyes.pt", "face_yolov8n.pt")


async def test_embeddings_are_listed_in_either_shape(bench: Bench) -> None:
    for kin in (Kin.A1111, Kin.SDNEXT):
        bench.server.kin, bench.server.embeddings = kin, ["easynegative"]
        found = await bench.client().capabilities()
        assert found.listings[Listing.EMBEDDINGS] == ("easynegative",)


async def test_a_thousand_models_and_three_hundred_loras_are_listed(bench: Bench) -> None:
    bench.server.models = [f"model {i}" for i in range(1000)]
    bench.server.loras = [f"lora {i}" for i in range(300)]
    client = bench.client()
    found = await client.capabilities()
    assert (len(found.listings[Listing.MODELS]), len(found.listings[Listing.LORAS])) == (1001, 300)
    painting = await paint(client, order(model="MODEL_999", loras=(Lora("lora 299"),)))
    assert (painting.model, painting.notes) == ("model 999", ())


async def test_a_fact_that_cannot_be_read_is_left_out(bench: Bench) -> None:
    for path, answer in {"memory": b"<html>", "scripts": b"[]", "script-info": b"{}", "options": b"3"}.items():
        bench.server.replay[f"/sdapi/v1/{path}"] = (200, answer)
    client = bench.client()
    found = await client.capabilities()
    assert (found.facts, found.loaded_model) == ({}, None)
    assert Listing.SCRIPTS not in found.listings
    assert len((await paint(client, order())).pictures) == 1
