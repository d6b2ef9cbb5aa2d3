import json
import traceback

import pytest

from bot.domain.errors import Failure
from bot.domain.job import JobSpec, Origin, Picture, Ping, Result
from bot.domain.request import Lora, PaintRequest
from bot.storage.records import _FAILURE, _RESULT, _SPEC, _read, failure_json, result_row

SPEC = JobSpec(
    PaintRequest("a", 1, loras=(Lora("ink", 0.5),), cfg_scale=6.5, strength=0.4, init_image="ab" * 32),
    Origin.REMIX,
    parent=7,
    spoiler=True,
    locale="de",
    ping=Ping.DM,
)
RESULT = Result((Picture("ab" * 32, "image/png", 64, 64, 2**32 - 1, "a\nSteps: 1"),), "gpu", 1.5, notes=("N",))
FAILURE = Failure("{count} of {name}", "h", {"count": 2, "name": "x", "share": 0.5}, "C0DE")


def test_what_is_stored_comes_back_equal() -> None:
    assert _SPEC.validate_json(_SPEC.dump_json(SPEC)) == SPEC
    assert _RESULT.validate_json(result_row(RESULT)["new_result"]) == RESULT
    assert _FAILURE.validate_json(failure_json(FAILURE)) == FAILURE


def test_what_a_newer_version_added_is_ignored_and_what_an_older_one_lacks_is_the_default() -> None:
    stored = json.loads(_SPEC.dump_json(SPEC))
    stored["hires"] = {"scale": 2}
    stored["request"]["clip_skip"] = 2
    del stored["request"]["loras"]
    read = _SPEC.validate_json(json.dumps(stored))
    assert read.request.loras == ()
    assert read.parent == 7


def test_what_cannot_be_read_is_told_without_what_was_typed() -> None:
    stored = json.loads(_SPEC.dump_json(SPEC))
    stored["request"] |= {"prompt": ["a secret fox"], "steps": "a secret fox"}
    with pytest.raises(ValueError, match=r"request\.prompt, request\.steps") as caught:
        _read(_SPEC, json.dumps(stored))
    assert "secret" not in "".join(traceback.format_exception(caught.value))
