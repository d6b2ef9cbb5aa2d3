import json

import pytest

from bot.backends.webui.progress import Course, of_server, of_task
from bot.imaging.sniffing import sniff
from tests.standins.webui import recording


def test_stale_numbers_before_a_job_count_as_idle() -> None:
    stale, *working = [of_server(json.dumps(e["body"]).encode()) for e in recording("progress_during_txt2img")]
    assert not stale.active
    assert all(reading.active for reading in working)


def test_progress_never_goes_back_and_is_not_done_before_the_pictures_are_there() -> None:
    course = Course(8)
    told = [
        course.advance(of_server(json.dumps(entry["body"]).encode()), None)
        for entry in recording("progress_during_txt2img")[1:]
    ]
    assert [progress.fraction for progress in told] == sorted(progress.fraction for progress in told)
    assert told[0].eta_s is None
    assert told[-1].steps == 8
    assert max(progress.fraction for progress in told) < 1


def test_an_interrupted_job_is_seen() -> None:
    (entry,) = recording("progress_interrupted")
    assert of_server(json.dumps(entry["body"]).encode()).interrupted


def test_tasks_are_told_apart() -> None:
    previewed, first = recording("progress_two_tasks")
    ours = of_task(json.dumps(previewed["internal_progress_a"]).encode())
    waiting = of_task(json.dumps(first["internal_progress_b"]).encode())
    done = of_task(json.dumps(recording("internal_progress_completed")["body"]).encode())
    unknown = of_task(json.dumps(recording("internal_progress_unknown")["body"]).encode())
    assert ours is not None
    assert (ours.active, ours.fraction, ours.preview_id) == (True, 0.1, 1)
    assert ours.preview is not None
    assert sniff(ours.preview) is not None
    assert waiting is not None
    assert (waiting.active, waiting.queued) == (False, True)
    assert done is not None
    assert done.completed
    assert unknown is not None
    assert (unknown.active, unknown.queued, unknown.completed) == (False, False, False)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"<html>"])
def test_something_else_is_no_progress(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        of_server(body)
    assert of_task(b'{"job": "x", "step": 1}') is None


def test_odd_values_are_no_trouble() -> None:
    reading = of_server(b'{"progress": null, "state": 3, "current_image": "%%%"}')
    assert not reading.active
    assert of_server(b'{"progress": 0.5, "current_image": "a"}').preview is None
