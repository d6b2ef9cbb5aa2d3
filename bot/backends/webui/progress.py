"""How far a WebUI is, read from either of its two progress answers.

``POST /internal/progress`` knows a task by its id, but only a server with its web page has it; SD.Next's looks
at no id. ``GET /sdapi/v1/progress`` belongs to whatever the server does just now, ours or not.
"""

import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from bot.domain.ports import Progress

_FLOOR = 0.01
"""What the server says while it still loads or encodes; the time left means nothing then."""
_ALMOST = 0.99


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the server: ``job`` names what it works on, ``mark`` changes with everything that moves.

    ``active``: its numbers tell of a job; ``busy``: it has one, even if there are no numbers yet or any more.
    """

    active: bool
    busy: bool = False
    queued: bool = False
    completed: bool = False
    interrupted: bool = False
    fraction: float = 0.0
    eta_s: float | None = None
    preview: bytes | None = field(default=None, repr=False)
    preview_id: int = -1
    job: str = ""
    mark: str = ""


def of_task(body: bytes | bytearray) -> Reading | None:
    """Read ``/internal/progress``; ``None`` if it is another server's, such as SD.Next's, which tells ``job``."""
    answer = _object(body)
    if not {"active", "queued", "completed", "id_live_preview"} <= answer.keys() or "job" in answer:
        return None
    preview_id = answer["id_live_preview"]
    return Reading(
        active=bool(answer["active"]),
        queued=bool(answer["queued"]),
        completed=bool(answer["completed"]),
        fraction=_number(answer.get("progress")),
        eta_s=_number(answer.get("eta")) or None,
        preview=_picture(answer.get("live_preview")),
        preview_id=preview_id if isinstance(preview_id, int) else -1,
        mark=f"{answer.get('progress')} {answer.get('textinfo')}",
    )


def of_server(body: bytes | bytearray) -> Reading:
    """Read ``/sdapi/v1/progress``; right before and after a job its numbers are stale and count as idle."""
    answer = _object(body)
    state = answer.get("state")
    state = state if isinstance(state, dict) else {}
    fraction = _number(answer.get("progress"))
    count, number = _number(state.get("job_count")), _number(state.get("job_no"))
    return Reading(
        active=count > 0 and number < count and 0 < fraction < 1,
        busy=count > 0 or bool(state.get("job")),
        interrupted=state.get("interrupted") is True,
        fraction=fraction,
        eta_s=_number(answer.get("eta_relative")) or None,
        preview=_picture(answer.get("current_image")),
        job=f"{answer.get('id', '')} {state.get('job_timestamp')}",
        mark=f"{fraction} {state.get('job_no')} {state.get('sampling_step')}",
    )


class Course:
    """One job's progress as people see it: it never goes back and is done only when the pictures are there."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._fraction = 0.0

    def advance(self, reading: Reading, preview: bytes | None) -> Progress:
        """Return the progress after ``reading``; ``preview`` is what is shown of it."""
        self._fraction = max(self._fraction, min(reading.fraction, _ALMOST))
        eta_s = reading.eta_s if self._fraction > _FLOOR else None
        return Progress(self._fraction, int(self._fraction * self._steps + 0.01), self._steps, eta_s, preview)


def _object(body: bytes | bytearray) -> dict[str, Any]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - it is the answer that is wrong
    return answer


def _number(value: Any) -> float:
    return max(0.0, float(value)) if isinstance(value, int | float) else 0.0


def _picture(value: Any) -> bytes | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return b64decode(value.rpartition(",")[2])
    except ValueError:
        return None
