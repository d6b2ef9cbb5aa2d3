"""The classifier in its own process: a tiny one with random weights says what it says, or why it cannot."""

import importlib.util
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="the extra 'classifier' is not installed: make diffusers")

import torch
from transformers import ViTConfig, ViTForImageClassification

from bot.backends import frames
from bot.backends.classifier import client, worker
from bot.backends.classifier.client import Model
from bot.domain.errors import NotEnabledError, ProtocolError, UnreachableError
from tests.whole.pictures import png

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vision transformer of a few hundred weights, as the hub would have it."""
    made = tmp_path_factory.mktemp("tiny") / "vit"
    torch.manual_seed(1)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    labels = {"id2label": {0: "normal", 1: "nsfw"}, "label2id": {"normal": 0, "nsfw": 1}}
    ViTForImageClassification(ViTConfig(image_size=16, patch_size=8, **sizes, **labels)).save_pretrained(made)
    size = {"height": 16, "width": 16}
    (made / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": "ViTImageProcessor", "size": size}), encoding="utf-8"
    )
    return made


@pytest.fixture
async def model(folder: Path) -> AsyncIterator[Model]:
    model = Model(str(folder))
    yield model
    await model.close()


async def test_it_says_how_sure_it_is_of_each_label_and_is_started_anew_once_it_stood_still(
    model: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await model.check() == ("normal", "nsfw")
    scores = await model.scores([png(64, 48), png(16, 16)])
    assert [sorted(each) for each in scores] == [["normal", "nsfw"]] * 2
    assert all(sum(each.values()) == pytest.approx(1) for each in scores)
    with pytest.raises(ProtocolError, match="could not look at a picture"):
        await model.scores([b"no picture"])
    assert "classifier could not look" in capsys.readouterr().out
    assert await model.scores([png(16, 16)]) == [scores[1]]
    stuck = model._process
    assert stuck is not None
    os.kill(stuck.pid, signal.SIGSTOP)
    monkeypatch.setattr(client, "LOOK_S", 0.2)
    with pytest.raises(UnreachableError, match="stood still"):
        await model.scores([png(16, 16)])
    assert "classifier said nothing" in capsys.readouterr().out
    assert stuck.returncode is not None
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UnreachableError, match="could not be started"):
        await model.scores([png(16, 16)])


def test_what_it_is_asked_it_answers_until_nobody_asks_any_more(folder: Path) -> None:
    asked = io.BytesIO(frames.pack({}, [png(64, 48)]) + frames.pack({}, [b"no picture"]))
    answers = io.BytesIO()
    worker.serve(asked, answers, *worker.loaded(str(folder)))
    answers.seek(0)
    said = []
    while (frame := frames.read(answers)) is not None:
        said.append(frame.header)
    assert [each["is"] for each in said] == ["ready", "scores", "failed"]
    assert said[0]["labels"] == ["normal", "nsfw"]
    assert sorted(said[1]["scores"][0]) == ["normal", "nsfw"]


async def test_a_model_that_cannot_be_loaded_is_told_and_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model(str(tmp_path / "nothing"))
    with pytest.raises(NotEnabledError, match="Check EASEL_CLASSIFIER"):
        await model.check()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotEnabledError, match="Check EASEL_CLASSIFIER"):
        await model.scores([png(16, 16)])
    await model.close()


async def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotEnabledError, match=r"pip install '\.\[classifier\]'"):
        await Model("x/y").check()
