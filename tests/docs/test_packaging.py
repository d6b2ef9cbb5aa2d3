"""What hosts install by, Docker, Compose and systemd, names what there is."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot import cli
from bot.ops.server import Server
from bot.settings import Settings
from bot.settings_loading import names
from bot.storage.gauges import Queue

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "hosting.md"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
KNOWN = set(getattr(typer.main.get_command(cli.app), "commands", {}))
"""The commands of ``easel``."""


def steps(*kinds: str) -> list[tuple[str, str]]:
    """Return the Dockerfile's steps of these kinds, each in one line."""
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()
    split = [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines if line]
    return [step for step in split if step[0] in kinds]


def copied() -> set[str]:
    """Return what is copied into the image from here."""
    sources = [words.split()[:-1] for _, words in steps("COPY") if not words.startswith("--from")]
    return {name for each in sources for name in each}


def compose() -> dict[str, Any]:
    page: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return page


class Unit(ConfigParser):
    """A unit of systemd's, whose names differ by their capitals."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit(path: Path) -> Unit:
    parser = Unit(interpolation=None, delimiters="=", strict=False)
    parser.read(path, encoding="utf-8")
    return parser


def test_whatever_the_image_is_made_of_is_there_and_goes_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied()
    assert all((ROOT / name).exists() for name in copied())


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular() -> None:
    installs = re.findall(r"pip\S* (?:--python \S+ )?install ([^&]+)", " ".join(step for _, step in steps("RUN")))
    assert installs
    assert all("--require-hashes" in each or "--no-deps dist/" in each for each in installs)
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "pip" not in last
    (user,) = re.findall(r"(?m)^USER (\S+)$", last)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert (steps("ENTRYPOINT"), steps("CMD")) == ([("ENTRYPOINT", '["easel"]')], [("CMD", '["run"]')])


async def healthy(port: int) -> bool:
    """Return what the image's check of health says where Easel should answer at ``port``."""
    command = json.loads(steps("HEALTHCHECK")[0][1].partition("CMD ")[2])
    environ = {**os.environ, "EASEL_METRICS": f"0.0.0.0:{port}", "http_proxy": "http://127.0.0.1:9"}
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(sys.executable, *command[1:], env=environ, stderr=silent)
    return await process.wait() == 0


async def test_the_image_is_healthy_while_easel_answers() -> None:
    async def queue() -> Queue:
        return Queue({}, {}, 0)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with Server(None, queue, dict, {}, time.time).listening(("0.0.0.0", port)):  # noqa: S104 - as in the image
        assert await healthy(port)
    assert not await healthy(port)


def test_every_setting_that_is_named_is_one() -> None:
    image = " ".join(words for _, words in steps("ENV"))
    services = compose()["services"]
    given = {name for service in ("bot", "worker") for name in services[service]["environment"]}
    units = " ".join(each.read_text(encoding="utf-8") for each in UNITS)
    page = PAGE.read_text(encoding="utf-8")
    named = given | set(re.findall(r"\bEASEL_[A-Z_]+[A-Z]\b", image + units + page))
    assert {"DATABASE_URL", "EASEL_BACKENDS", "EASEL_METRICS"} <= named
    assert named <= {*names(), "EASEL_BACKEND_"}


def test_the_services_keep_to_themselves() -> None:
    page = compose()
    services = page["services"]
    assert set(services) == {"bot", "worker", "db"}
    for service in services.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert service["logging"]["options"]["max-size"]
        assert "ports" not in service
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(page["volumes"])
    for name in ("bot", "worker"):
        assert services[name]["env_file"] == ".env"
        assert services[name]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services["worker"]["command"][0] in KNOWN


def test_no_password_stands_in_the_services() -> None:
    written = json.dumps(compose()["services"])
    assert set(re.findall(r"\$\{(\w+)", written)) == {"POSTGRES_PASSWORD"}
    assert re.findall(r"://\w+:(.)", written) == ["$", "$"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_gives_easel_no_more_than_it_needs(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "78"
    assert service["User"] == "easel"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert {service[name] for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID")} == {
        "yes"
    }
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert {"EnvironmentFile", "MemoryMax"} <= set(service)
    assert service["ExecStart"].split()[1] in KNOWN


def test_a_stop_may_take_as_long_everywhere_as_it_takes() -> None:
    bound = f"{Settings.model_fields['drain_s'].default + 25:g}"
    assert {unit(path)["Service"]["TimeoutStopSec"] for path in UNITS} == {bound}
    services = compose()["services"]
    assert {services[name]["stop_grace_period"] for name in ("bot", "worker")} == {f"{bound}s"}
    assert f"stop_grace_period: {bound}s" in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/easel/bin/easel", sys.executable)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    paths = [str(tmp_path / path.name) for path in UNITS]
    verify = ["systemd-analyze", "verify", "--man=no", *paths]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words, own files
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_that_the_page_names_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    commands = set(re.findall(r"(?:`|bin/|\.env |/data )easel ([a-z]+)", page))
    assert {"run", "worker", "check", "db"} <= commands
    assert commands <= KNOWN
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z]+)", page)) <= targets
    files = set(re.findall(r"requirements-?\w*\.lock|deploy/systemd/[\w@.]+\.service", page))
    assert {"requirements-host.lock", "deploy/systemd/easel.service"} <= files
    assert all((ROOT / name).exists() for name in files)
