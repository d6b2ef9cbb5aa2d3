"""What the repository must not hold, and what its lock files must."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = re.compile(
    r"(?<![\w.])/(?:home|root|Users|work|mnt)/[a-z]"
    r"|https?://(?:files\.)?pythonhosted"
    r"|--(?:extra-)?index-url\b"
    r"|[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,}"
)
"""Somebody's folders, a package index, a bot's token."""


def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    command = [git, "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - fixed
    return [ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def test_no_tracked_file_names_somebodys_machine_index_or_token() -> None:
    found = {
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in tracked()
        for match in FOREIGN.finditer(file.read_bytes().decode("utf-8", "ignore"))
    }
    assert not found


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_a_lock_holds_every_package_by_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)
    assert len(entries) > 5
    for entry in filter(str.strip, entries):
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_locks_name_one_version_of_a_package() -> None:
    pinned = {
        path.name: dict(re.findall(r"(?m)^([a-z0-9._-]+)==(\S+)", path.read_text(encoding="utf-8")))
        for path in ROOT.glob("requirements*.lock")
    }
    assert len(pinned) > 3
    common = pinned["requirements-dev.lock"]
    apart = {each for lock in pinned.values() for each in lock if lock[each] != common.get(each, lock[each])}
    assert not apart
