"""The page and the dashboard name the metrics that there are."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prometheus_client", reason="the extra “metrics” is not installed")

from bot.ops.metrics import Metrics

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "metrics.md"
METRIC = re.compile(r"\b(?:easel|process|python)_[a-z_]+\b")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",), "gauge": ("",)}
EVERYWHERE = {"instance", "job", "le"}


def declared() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Return every metric of Easel's own: name, type, labels, help."""
    registry = Metrics().registry
    named = {name: collector for collector, names in registry._collector_to_names.items() for name in names}
    for family in registry.collect():
        if family.name.startswith("easel_"):
            shown = "" if family.type == "histogram" else SUFFIXES[family.type][0]
            labels = tuple(getattr(named[family.name], "_labelnames", ()))
            yield family.name + shown, family.type, labels, family.documentation


def exposed() -> set[str]:
    """Return the names of all samples that a scrape may hold."""
    families = Metrics().registry.collect()
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def test_the_page_has_a_table_of_all_metrics() -> None:
    rows = [
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels) or '–'} | {words} |\n"
        for name, kind, labels, words in declared()
    ]
    table = "".join(["| metric | type | labels | |\n", "|---|---|---|---|\n", *rows])
    before, start, rest = PAGE.read_text(encoding="utf-8").partition("<!-- metrics -->\n")
    _, end, after = rest.partition("<!-- /metrics -->")
    made = before + start + table + end + after
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made


def expressions() -> list[str]:
    """Return what the dashboard and the alerts ask for."""
    board = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    asked += [each["query"]["query"] for each in board["templating"]["list"] if each["type"] == "query"]
    alerts = PAGE.read_text(encoding="utf-8").partition("## Alerts")[2].partition("\n## ")[0]
    return [*asked, *re.findall(r"`([^`]*easel_[^`]*)`", alerts)]


@pytest.mark.parametrize("expression", expressions())
def test_whatever_is_asked_for_is_there_with_its_labels(expression: str) -> None:
    names = set(METRIC.findall(expression))
    assert names
    assert names <= exposed()
    labels = {
        label for name, _, of, _ in declared() for label in of if name in expression or name[:-6] in expression
    }
    grouped = {
        each.strip() for found in re.findall(r"(?:by|on) \(([^)]*)\)", expression) for each in found.split(",")
    }
    matched = set(re.findall(r"[{,] ?(\w+)(?:=~|!=|=)", expression))
    assert grouped | matched <= labels | EVERYWHERE
    assert expression.count("(") == expression.count(")")


def test_the_dashboard_can_be_imported_and_no_panel_covers_another() -> None:
    board = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    assert (board["title"], board["schemaVersion"] >= 38) == ("Easel", True)
    panels: list[dict[str, Any]] = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        area = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not area & taken
        taken |= area
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = " ".join(expressions())
    missing = {name for name, *_ in declared() if name not in asked}
    assert missing <= {"easel_eta_said_seconds_total", "easel_eta_took_seconds_total"}
