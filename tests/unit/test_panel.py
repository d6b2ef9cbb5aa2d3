"""What a form of the panel changes: what was typed in it, and nothing that only passed through it."""

from typing import Any

import pytest

from bot.domain.errors import RequestError
from bot.services.preferences import Values
from bot.ui import panel
from bot.ui.options import PROMPT_LENGTH
from bot.ui.panel import EDIT, Asked, Where
from tests.unit.ui_builders_scopes import effective

LIMITS, RULES = Asked(EDIT, Where(None, "limits"), 0), Asked(EDIT, Where(None, "limits"), 1)
PICTURES = Asked(EDIT, Where(None, "pictures"), 0)


def filled(own: Values, wanted: Asked) -> dict[str, Any]:
    """Return a form as Discord sends it back when nothing was typed: without blanks around its texts."""
    payload = panel.form(effective("x"), own, wanted, "en").to_dict()
    fields = (label["component"] for label in payload["components"])
    texts = {field["custom_id"]: str(field.get("value", "")).strip() for field in fields}
    return {"custom_id": payload["custom_id"], "texts": texts}


def changed(own: Values, wanted: Asked, **typed: str) -> dict[str, object]:
    form = filled(own, wanted)
    texts = {**form["texts"], **typed}
    data = {"components": [{"component": {"custom_id": name, "value": text}} for name, text in texts.items()]}
    return panel.submitted(data, own, panel.asked(form["custom_id"], 1))


def test_what_nobody_touched_stays_as_it_is_however_long_or_crooked() -> None:
    own = {"negative_prompt": f" fog {'x' * PROMPT_LENGTH}", "steps": 9}
    assert changed(own, PICTURES) == {}
    with pytest.raises(RequestError, match="too long for a form"):
        changed(own, PICTURES, negative_prompt=" fog, rain")
    assert changed(own, PICTURES, negative_prompt="") == {"negative_prompt": None}
    assert changed({"models_denied": "a, b\nc;d"}, RULES) == {}


def test_a_pattern_with_a_comma_stays_one_when_another_is_added() -> None:
    own = {"models_denied": "ink, old\npen"}
    found = changed(own, RULES, models_denied="ink, old\npen\noil, chalk; coal")
    assert found == {"models_denied": "ink, old\npen\noil\nchalk\ncoal"}


def test_a_form_is_refused_once_what_it_was_filled_with_has_changed() -> None:
    form = filled({"max_steps": 20}, LIMITS)
    assert len(form["custom_id"]) <= 100
    wanted = panel.asked(form["custom_id"], 1)
    assert panel.submitted({}, {"max_steps": 20, "language": "de"}, wanted) == {}
    for own in ({"max_steps": 9}, {}, {"max_steps": 20, "max_count": 2}):
        with pytest.raises(RequestError, match="Somebody changed this meanwhile"):
            panel.submitted({}, own, wanted)
