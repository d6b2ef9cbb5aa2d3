"""``docs/terminal.md`` is made here: ``UPDATE_DOCS=1 pytest tests/docs/test_terminal.py`` writes it anew."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from bot import cli

PAGE = Path(__file__).parents[2] / "docs" / "terminal.md"
HEAD = """\
# In the terminal

Made from the commands themselves by `UPDATE_DOCS=1 python -m pytest tests/docs/test_terminal.py`; do not edit.
"""
OWN = """\
## Options of draw and batch, and of a line in a file of prompts
"""


def commands() -> dict[str, Any]:
    found: dict[str, Any] = getattr(get_command(cli.app), "commands", {})
    databases = {f"db {name}": command for name, command in found["db"].commands.items()}
    return {name: found[name] for name in ("draw", "batch", "check")} | databases


def rows(params: list[Any]) -> Iterator[str]:
    yield "| option | |"
    yield "|---|---|"
    for param in params:
        option = param.param_type_name == "option"
        name = ", ".join(f"`{each}`" for each in param.opts) if option else f"**{param.name}**"
        yield f"| {name} | {param.help} |"
    yield ""


def page() -> str:
    params = {
        name: [each for each in command.params if each.name != "help"] for name, command in commands().items()
    }
    shared = [each.name for each in params["draw"] if each.name in {other.name for other in params["batch"]}]
    chosen = shared[shared.index("negative") :]
    lines = [HEAD]
    for name, command in commands().items():
        lines += [f"## easel {name}\n", f"{command.help}\n"]
        lines += rows([each for each in params[name] if each.name not in chosen])
    return "\n".join([*lines, OWN, *rows([each for each in params["draw"] if each.name in chosen])])


def test_the_page_of_the_terminal_is_what_the_commands_take() -> None:
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
