import json
import struct
from typing import Any

import pytest

from bot.backends.comfyui import building, history
from bot.backends.comfyui.building import Uploads
from bot.backends.comfyui.graph import sources
from bot.backends.comfyui.history import Memo
from bot.backends.comfyui.listening import Ear
from bot.backends.comfyui.nodes import Nodes
from bot.backends.comfyui.progress import Course
from bot.domain.request import Control, Hires, Lora, Mask, MaskFill, PaintRequest, Refiner
from tests.standins.comfyui import recording
from tests.standins.comfyui_files import RECORDINGS
from tests.wire.comfybench import EXTRA
from tests.wire.workbench import QUICK, order

OURS = "8e2e9e82-f39f-4615-95f6-d0949f85ead7"


class Heard:
    """Keeps what an ear gives on."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.pictures: list[bytes] = []

    def told(self, kind: str, data: dict[str, Any]) -> None:  # noqa: ARG002
        self.kinds.append(kind)

    def shown(self, picture: bytes) -> None:
        self.pictures.append(picture)

    def missed(self) -> None:
        self.kinds.append("missed")


def ear(prompt_id: str) -> tuple[Ear, Heard]:
    ear, heard = Ear(None, "client", QUICK), Heard()  # type: ignore[arg-type]
    ear._listeners[prompt_id] = heard
    return ear, heard


def text(kind: str, **data: Any) -> str:
    return json.dumps({"type": kind, "data": data})


def test_previews_go_to_the_prompt_they_belong_to() -> None:
    older = (RECORDINGS / "ws_binary_event1.bin").read_bytes()
    newer = (RECORDINGS / "ws_binary_event4.bin").read_bytes()
    (length,) = struct.unpack_from(">I", newer, 4)
    ours = json.loads(newer[8 : 8 + length])["prompt_id"]
    listening, heard = ear(ours)
    listening._look(older)
    assert heard.pictures == []
    listening._look(newer)
    listening._take(text("progress", prompt_id=ours, value=1, max=2))
    listening._look(older)
    assert [picture[:3] for picture in heard.pictures] == [b"\xff\xd8\xff"] * 2
    listening._take(text("progress", prompt_id="another", value=1, max=2))
    listening._look(older)
    assert len(heard.pictures) == 2
    for broken in (b"", b"\0\0\0\4", b"\0\0\0\4\0\0\0\2xx", b"\0\0\0\4\0\0\0\2[]", b"\0\0\0\7" * 3):
        listening._look(broken)
    assert len(heard.pictures) == 2


def test_messages_of_other_prompts_or_of_another_shape_are_dropped() -> None:
    listening, heard = ear(OURS)
    for message in (
        text("executing", node="3"),
        text("execution_success", prompt_id="another"),
        text("execution_success", prompt_id=["x"]),
        "[]",
        "{",
        '{"type": "status"}',
        json.dumps({"type": 3, "data": {"prompt_id": OURS}}),
        '{"type": "x", "data": null}',
    ):
        listening._take(message)
    assert heard.kinds == []
    listening._take(text("execution_success", prompt_id=OURS))
    assert heard.kinds == ["execution_success"]


@pytest.mark.parametrize("kind", ["progress", "progress_state"])
@pytest.mark.parametrize("name", ["ws_txt2img_first", "ws_img2img", "ws_interrupt"])
def test_recorded_progress_never_goes_back(name: str, kind: str) -> None:
    graph = recording("prompt_ok")["request"]["json"]["prompt"]
    course, shares = Course(graph, iter(range(10_000)).__next__), []
    for entry in [entry for entry in recording(name) if entry.get("text", {}).get("type") == kind]:
        course.heard(kind, entry["text"]["data"])
        shares.append(course.now(None).fraction)
    assert shares == sorted(shares)
    assert shares[-1] > 0.5
    assert max(shares) < 1


def test_progress_of_odd_shapes_changes_nothing() -> None:
    graph = building.painting(order(), Uploads(), Nodes({}))
    course = Course(graph, lambda: 0.0)
    for data in ({}, {"node": "5"}, {"node": "5", "value": "x", "max": 0}, {"nodes": 3}, {"nodes": {"5": 3}}):
        for kind in ("progress", "progress_state", "executed", "execution_cached"):
            if kind != "executed":
                course.heard(kind, data)
    assert course.now(None).fraction == 0


def test_a_graph_without_samplers_counts_its_nodes() -> None:
    course = Course(building.upscaling("a.png", (80, 80), "4x.pth", None, 0.0), lambda: 0.0)
    course.heard("execution_cached", {"nodes": ["1"]})
    course.heard("executed", {"node": "2"})
    assert (course.now(None).fraction, course.now(None).steps) == (0.4, 5)


@pytest.mark.parametrize(
    ("name", "interrupted", "failed", "files"),
    [
        ("history_success", False, False, 1),
        ("history_batch2", False, False, 2),
        ("history_all_cached", False, False, 2),
        ("history_preview_temp", False, False, 1),
        ("history_interrupted", True, False, 0),
        ("history_execution_error", False, True, 0),
    ],
)
def test_recorded_histories_are_understood(name: str, interrupted: bool, failed: bool, files: int) -> None:
    body = recording(name)["body"]
    (prompt_id,) = body
    outcome = history.outcome(json.dumps(body).encode(), prompt_id)
    assert outcome is not None
    assert (outcome.interrupted, outcome.error is not None) == (interrupted, failed)
    assert len(history.files(outcome.outputs, dict.fromkeys(outcome.outputs, 5))) == files
    assert outcome.memo is None
    assert outcome.seconds is not None


@pytest.mark.parametrize("name", ["history_of_running", "history_of_deleted", "history_after_delete"])
def test_a_history_without_the_prompt_tells_nothing(name: str) -> None:
    assert history.outcome(json.dumps(recording(name)["body"]).encode(), OURS) is None


def test_recorded_queues_tell_who_runs_and_who_waits() -> None:
    body = recording("queue_busy")["body"]
    for key, place in (("queue_running", history.Place.RUNNING), ("queue_pending", history.Place.PENDING)):
        prompt_id, extra = body[key][-1][1], body[key][-1][3]
        found = history.queued(json.dumps(body).encode(), prompt_id)
        assert found is not None
        assert (found.place, found.prompt_id, found.client_id) == (place, prompt_id, extra["client_id"])
    assert history.queued(json.dumps(body).encode(), OURS) is None


@pytest.mark.parametrize(
    "extra",
    [
        None,
        {"easel": 3},
        {"easel": {"task": OURS}},
        {"easel": {"task": OURS, "seeds": 3}},
        {"easel": {"task": OURS, "seeds": {"9": "x"}}},
        {"easel": {"task": OURS, "seeds": {}, "nonsense": 1}},
    ],
)
def test_what_others_write_in_the_place_of_our_memo_is_no_memo(extra: Any) -> None:
    body = {"queue_running": [3, [], [1, "x", {}, extra, []]], "queue_pending": None}
    assert history.queued(json.dumps(body).encode(), OURS) is None
    ours = {"queue_running": [[1, "x", None, Memo(OURS, {"9": 5}).extra_data(), []]]}
    found = history.queued(json.dumps(ours).encode(), OURS)
    assert found is not None
    assert found.memo == Memo(OURS, {"9": 5})


UPLOADS = Uploads("a.png", "b.png", "c.png", "d.png", (0, 8, 32, 32), ("e.png",))
NODES = {**recording("object_info"), **EXTRA}


@pytest.mark.parametrize(
    "request_",
    [
        order(model="m", sampler="euler", scheduler="karras", loras=(Lora("l"),), vae="v", clip_skip=2, count=2),
        order(strength=0.5, init_image="h"),
        order(strength=0.5, init_image="h", mask=Mask("m", padding=8)),
        order(strength=0.5, init_image="h", mask=Mask("m", fill=MaskFill.NOISE)),
        order(hires=Hires(2, "latent:bilinear")),
        order(hires=Hires(2, "4x.pth")),
        order(refiner=Refiner("m")),
        order(controls=(Control("h", "c", module="Canny"),)),
    ],
)
def test_graphs_fit_the_nodes_of_a_real_server(request_: PaintRequest) -> None:
    """Every input that a node requires is there, none that it does not know, and links carry what is wanted."""
    uploads = UPLOADS if request_.controls or request_.init_image else Uploads()
    if not request_.mask:
        uploads = Uploads(uploads.source if request_.init_image else None, controls=uploads.controls)
    if not request_.controls:
        uploads = Uploads(uploads.source, uploads.mask, uploads.whole, uploads.edge, uploads.box)
    graph = building.painting(request_, uploads, Nodes(NODES))
    for item in graph.values():
        inputs = NODES[item["class_type"]]["input"]
        required, optional = inputs.get("required", {}), inputs.get("optional", {})
        assert required.keys() <= item["inputs"].keys() <= required.keys() | optional.keys()
        for name, (source, slot) in sources(item).items():
            given = NODES[graph[source]["class_type"]]["output"][slot]
            assert given == {**required, **optional}[name][0]
        for name, value in item["inputs"].items():
            limits = {**required, **optional}[name][-1]
            if isinstance(value, int | float) and isinstance(limits, dict):
                assert limits.get("min", value) <= value <= limits.get("max", value)
