"""What the documents say is what the code does; ``make docs`` writes the made parts anew."""

import os
import re
from pathlib import Path

import typer

from bot import cli
from bot.settings import Settings
from bot.settings_loading import load
from bot.settings_pages import example, table

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
UPDATE = bool(os.environ.get("UPDATE_DOCS"))
SECTIONS = (
    "Try it",
    "Host it",
    "Commands",
    "Settings",
    "Backends",
    "Permissions and intents",
    "Privacy",
    "Updating",
    "Trouble",
    "Developing",
    "Licence",
)


def readme() -> str:
    return README.read_text(encoding="utf-8")


def section(title: str) -> str:
    return readme().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_example_of_an_env_file_is_what_the_settings_are() -> None:
    page = ROOT / ".env.example"
    if UPDATE:
        page.write_text(example(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == example()


def test_the_example_is_a_file_that_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    uncommented = re.sub(r"(?m)^#([A-Z])", r"\1", example())
    file.write_text(uncommented.replace("DISCORD_TOKEN=", "DISCORD_TOKEN=mine"), encoding="utf-8")
    assert load({}, file) == load({"DISCORD_TOKEN": "mine"}, None)


def test_the_table_of_settings_is_what_the_settings_are() -> None:
    before, start, rest = readme().partition("<!-- settings -->\n")
    _, end, after = rest.partition("<!-- /settings -->")
    if UPDATE:
        README.write_text(before + start + table() + end + after, encoding="utf-8")
    assert readme() == before + start + table() + end + after
    assert all(f"`{field.alias}`" in table() for field in Settings.model_fields.values())


def test_every_command_is_in_the_table_of_commands_and_no_other() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    single = set(re.findall(r"(?m)^#{2,3} /([a-z ]+)$", reference))
    groups = {name.split()[0] for name in single if " " in name}
    assert set(re.findall(r"(?m)^\| `/([a-z ]+)", section("Commands"))) == {
        name for name in single if name not in groups
    }


def test_every_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pages = [readme(), *(page.read_text(encoding="utf-8") for page in ROOT.glob("*.md"))]
    named = {name for page in pages for name in re.findall(r"(?m)(?:^|`)make ([a-z]+)", page)}
    assert {"rehearse", "test", "check", "run", "bench"} <= named
    assert named <= set(re.findall(r"(?m)^([a-z]+):", makefile))


def test_the_first_two_commands_are_the_rehearsal_and_the_tests() -> None:
    assert re.findall(r"(?m)^make ([a-z]+)", readme())[:2] == ["rehearse", "test"]


def test_every_command_of_the_terminal_is_told_and_no_other() -> None:
    command = typer.main.get_command(cli.app)
    known = set(getattr(command, "commands", {}))
    assert set(re.findall(r"`easel ([a-z]+)", readme())) == known


def test_the_permissions_are_those_of_the_code() -> None:
    assert f"permissions={cli.PERMISSIONS}&scope=bot+applications.commands" in section("Permissions and intents")


def test_the_sections_are_in_the_order_that_hosts_expect() -> None:
    assert tuple(re.findall(r"(?m)^## (.+)$", readme())) == SECTIONS


def test_every_link_to_a_file_leads_to_one() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_link_to_a_heading_leads_to_one() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for file, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            target = (page.parent / file if file else page).read_text(encoding="utf-8")
            headings = re.findall(r"(?m)^#+ (.+)$", target)
            assert anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}, (
                page.name,
                anchor,
            )
