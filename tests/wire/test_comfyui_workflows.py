import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.backends.comfyui import answers
from bot.domain.capability import Listing
from bot.domain.errors import RejectedError
from bot.domain.request import Lora, Mask, PaintRequest, Workflow
from tests.standins.comfyui import node, recording
from tests.standins.webui_pictures import png
from tests.wire.comfybench import ComfyBench, drawn, script
from tests.wire.workbench import order

PICTURE = png(64, 64, 1)
SAMPLER = "bad.json: node 3 (“seed, steps, cfg, sampler, scheduler, denoise”)"
UNSEEDED = "bad.json: no node is titled “seed”, so every picture would be the same"


def graph(**titles: str) -> dict[str, Any]:
    """Return the recorded graph with nodes titled as given, by ``n<id>``."""
    content: dict[str, Any] = recording("prompt_ok")["request"]["json"]["prompt"]
    usual = {"n3": "seed, steps, cfg, sampler, scheduler, denoise", "n4": "model", "n5": "width, height"}
    for key, title in {**usual, "n6": "prompt", "n7": "Negative Prompt", "n9": "Save", **titles}.items():
        content[key[1:]]["_meta"] = {"title": title}
    return content


def save(comfy: ComfyBench, content: Any, name: str = "poster.json") -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (comfy.folder / name).write_text(text, "utf-8")


def preset(name: str = "poster", **changes: Any) -> PaintRequest:
    values = changes.pop("values", {})
    return order(workflow=Workflow(name, values), **changes)


async def test_a_request_fills_what_the_titles_name(comfy: ComfyBench, snapshot: SnapshotAssertion) -> None:
    save(comfy, graph())
    request = preset(
        negative_prompt="blurred",
        model="randomsmall",
        sampler="DPM++ 2M SDE",
        scheduler="Karras",
        width=128,
        cfg_scale=4.5,
        steps=3,
    )
    painting, told = await drawn(comfy.client(), request)
    (picture,) = painting.pictures
    assert (picture.width, picture.height, picture.seed) == (128, 64, 5)
    assert picture.infotext.startswith("a cat\nNegative prompt: blurred\nSteps: 3, Sampler: DPM++ 2M SDE")
    assert (painting.model, painting.notes) == ("randomsmall", ())
    assert script(comfy.sent()) == snapshot
    assert all("_meta" not in item for item in comfy.sent().values())
    assert told


@pytest.mark.parametrize("changes", [{"loras": (Lora("watercolour"),)}, {"prompt": "a cat <lora:watercolour:1>"}])
async def test_a_lora_beside_a_workflow_is_left_out_and_that_is_said(
    comfy: ComfyBench, changes: dict[str, Any]
) -> None:
    save(comfy, graph())
    painting, _ = await drawn(comfy.client(), preset(**changes))
    assert painting.notes == (answers.NO_LORAS,)
    assert comfy.sent()["6"]["inputs"]["text"] == "a cat"


async def test_what_is_left_open_stays_as_the_admin_saved_it(comfy: ComfyBench) -> None:
    save(comfy, graph())
    await drawn(comfy.client(), preset())
    inputs = comfy.sent()["3"]["inputs"]
    assert (inputs["sampler_name"], inputs["scheduler"], inputs["denoise"]) == ("euler", "normal", 1.0)
    assert comfy.sent()["4"]["inputs"] == {"ckpt_name": "random15.safetensors"}


async def test_several_pictures_are_copies_with_their_own_seeds(comfy: ComfyBench) -> None:
    save(comfy, graph())
    painting, _ = await drawn(comfy.client(), preset(count=2))
    assert [picture.seed for picture in painting.pictures] == [5, 6]
    assert {key.partition("-")[0] for key in comfy.sent()} == {"0", "1"}
    assert comfy.sent()["1-3"]["inputs"]["model"] == ["1-4", 0]


async def test_a_graph_that_says_where_its_count_goes_paints_one_batch(comfy: ComfyBench) -> None:
    save(comfy, graph(n5="width & height & batch"))
    painting, _ = await drawn(comfy.client(), preset(count=3))
    assert [picture.seed for picture in painting.pictures] == [5, 5, 5]
    assert comfy.sent()["5"]["inputs"]["batch_size"] == 3


async def test_other_titles_are_inputs_that_a_preset_fills_by_name(comfy: ComfyBench) -> None:
    save(comfy, graph(n9="Folder", n3="seed", n5="Canvas"))
    await drawn(comfy.client(), preset(values={"folder": "posters/x", "Canvas.width": 96}))
    assert comfy.sent()["9"]["inputs"]["filename_prefix"] == "posters/x"
    assert comfy.sent()["5"]["inputs"]["width"] == 96
    for wrong in ("fodler", "canvas", "canvas.depth", "folder.images"):
        with pytest.raises(RejectedError, match="has no input of this workflow"):
            await drawn(comfy.client(), preset(values={wrong: 1}))


async def test_pictures_go_where_their_titles_are(comfy: ComfyBench) -> None:
    content: dict[str, Any] = recording("prompt_img2img")["request"]["json"]["prompt"]
    for key, item in content.items():
        titles = {"LoadImage": "image", "KSampler": "seed, strength", "CLIPTextEncode": f"text {key}"}
        item["_meta"] = {"title": titles.get(item["class_type"], "")}
    save(comfy, content)
    request = preset(init_image="source", strength=0.3)
    await drawn(comfy.client(), request, source=PICTURE)
    (loader,) = (item for item in comfy.sent().values() if item["class_type"] == "LoadImage")
    assert ("input", "", loader["inputs"]["image"]) in comfy.server.files.stored
    with pytest.raises(RejectedError, match="The workflow “poster” of comfy-1 needs a picture"):
        await drawn(comfy.client(), preset())
    with pytest.raises(RejectedError, match="takes no mask"):
        await drawn(comfy.client(), preset(init_image="source", mask=Mask("mask")), source=PICTURE, mask=PICTURE)


async def test_a_picture_for_a_graph_that_takes_none_is_refused(comfy: ComfyBench) -> None:
    save(comfy, graph())
    with pytest.raises(RejectedError, match="takes no image"):
        await drawn(comfy.client(), preset(init_image="source"), source=PICTURE)


async def test_names_are_checked_against_the_very_node_that_takes_them(comfy: ComfyBench) -> None:
    save(comfy, graph())
    for changes, words in (({"model": "random51"}, "model “random51”"), ({"sampler": "Oiler"}, "sampler “Oiler”")):
        with pytest.raises(RejectedError, match=words):
            await drawn(comfy.client(), preset(**changes))
    with pytest.raises(RejectedError, match=r"has no workflow “postr”\. The nearest is “poster”"):
        await drawn(comfy.client(), preset("postr"))


def untitled(content: dict[str, Any], key: str) -> dict[str, Any]:
    del content[key]["_meta"]
    return content


def linked_seed() -> dict[str, Any]:
    content = graph()
    content["3"]["inputs"]["seed"] = ["12", 0]
    content["12"] = {"class_type": "PrimitiveInt", "inputs": {"value": 3}}
    return content


def dangling() -> dict[str, Any]:
    content = graph()
    content["3"]["inputs"]["model"] = ["44", 0]
    return content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "bad.json is no JSON (line 1); save the workflow with Export (API) again."),
        ("[]", "bad.json holds no graph; save the workflow with Export (API)."),
        ("{}", "bad.json holds no graph; save the workflow with Export (API)."),
        (
            {"nodes": [], "links": [], "version": 0.4},
            "bad.json is saved for ComfyUI's own page; save it with Export (API).",
        ),
        ({"3": {"inputs": {}}}, "bad.json: node 3 has no class_type; save the workflow with Export (API)."),
        ({"3": {"class_type": "K"}}, "bad.json: node 3 has no inputs; save the workflow with Export (API)."),
        (
            dangling(),
            f"{SAMPLER} takes model from a node that is not there; connect it and export again.",
        ),
        (
            untitled(graph(), "6"),
            "bad.json: no node is titled “prompt”; give that title to the node with the text and export again.",
        ),
        (
            untitled(graph(), "3"),
            f"{UNSEEDED}; give that title to node 3 (“KSampler”) and export again.",
        ),
        (
            linked_seed(),
            f"{SAMPLER} takes its seed from node 12; title that one “seed” instead.",
        ),
        (
            graph(n8="width"),
            "bad.json: node 8 (“width”) has no input width or value; title the node that has it “width”.",
        ),
        (
            {"1": {"class_type": "Sorcery", "inputs": {"text": ""}, "_meta": {"title": "prompt"}}},
            "bad.json needs the node “Sorcery”, which this server lacks; install the extension that brings it.",
        ),
        (
            {"1": {"class_type": "Muse", "inputs": {"text": ""}, "_meta": {"title": "prompt"}}},
            "bad.json ends nowhere; add a node that saves a picture, such as Save Image.",
        ),
    ],
)
async def test_a_wrong_file_is_told_in_one_sentence_and_keeps_no_other_from_loading(
    comfy: ComfyBench, content: Any, problem: str
) -> None:
    comfy.server.extra_nodes["Muse"] = node({"text": ["STRING", {}]}, ("STRING",))
    save(comfy, graph())
    save(comfy, content, "bad.json")
    found = await comfy.client().capabilities()
    assert found.listings[Listing.WORKFLOWS] == ("poster",)
    assert found.facts["workflow bad.json"] == problem


async def test_files_that_cannot_be_read_are_told_too(comfy: ComfyBench) -> None:
    (comfy.folder / "folder.json").mkdir()
    (comfy.folder / "picture.json").write_bytes(b"\x89PNG\r\n")
    (comfy.folder / "huge.json").write_text(" " * (9 << 20))
    (comfy.folder / "deep.json").write_text("[" * 200_000)
    found = await comfy.client().capabilities()
    assert found.listings[Listing.WORKFLOWS] == ()
    assert {fact for fact in found.facts if fact.startswith("workflow")} == {
        "workflow deep.json",
        "workflow folder.json",
        "workflow huge.json",
        "workflow picture.json",
    }


async def test_files_that_come_and_go_are_seen_when_the_lists_are_read_anew(comfy: ComfyBench) -> None:
    client = comfy.client()
    await client.capabilities()
    save(comfy, graph())
    painting, _ = await drawn(client, preset())
    assert len(painting.pictures) == 1
    (comfy.folder / "poster.json").unlink()
    await client.refresh()
    assert (await client.capabilities()).listings[Listing.WORKFLOWS] == ()


async def test_a_workflow_that_cannot_be_used_is_refused_with_the_reason(comfy: ComfyBench) -> None:
    save(comfy, "{", "broken.json")
    save(comfy, {"1": {"class_type": "Wonder", "inputs": {"text": ""}, "_meta": {"title": "prompt"}}}, "odd.json")
    for name, reason in (("broken", "broken.json is no JSON"), ("Odd", "needs the node “Wonder”")):
        with pytest.raises(RejectedError, match=f"cannot use the workflow “{name}”: .*{reason}"):
            await drawn(comfy.client(), preset(name))
    with pytest.raises(RejectedError, match="has no workflow to choose"):
        await drawn(comfy.client(), preset("poster"))
