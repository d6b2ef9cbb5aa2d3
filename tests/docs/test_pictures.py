"""The pictures of the documents: all there, all named, none too large. ``make pictures`` takes them."""

import os
import re
from pathlib import Path

import pytest
from PIL import Image

from docs import pictures
from docs.browser import MissingError
from tests.logs import logs_given_back

ROOT = Path(__file__).parents[2]
PAGES = (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
SHOWN = re.compile(r'!\[[^\]]*\]\(([^)\s]+)\)|<img src="([^"]+)"')


def test_every_state_has_its_picture_and_every_picture_is_of_a_state() -> None:
    assert {file.name for file in pictures.FOLDER.glob("*.webp")} == {f"{name}.webp" for name in pictures.STATES}


def test_every_picture_that_a_document_shows_is_there() -> None:
    shown = [
        (page.parent / (one or other)).resolve()
        for page in PAGES
        for one, other in SHOWN.findall(page.read_text(encoding="utf-8"))
    ]
    local = [path for path in shown if "://" not in str(path)]
    assert len(local) > len(pictures.STATES)
    assert [path.name for path in local if not path.is_file()] == []


def test_the_page_of_looks_shows_every_state_with_its_sentence() -> None:
    if os.environ.get("UPDATE_DOCS"):
        pictures.PAGE.write_text(pictures.page(), encoding="utf-8")
    assert pictures.PAGE.read_text(encoding="utf-8") == pictures.page()


@pytest.mark.parametrize("name", pictures.STATES)
def test_a_picture_is_small_and_as_wide_as_a_phone(name: str) -> None:
    file = pictures.FOLDER / f"{name}.webp"
    assert file.stat().st_size <= pictures.MAX_BYTES
    with Image.open(file) as image:
        assert image.width <= 2 * pictures.WIDTH
        assert image.convert("L").getextrema() != (0, 0), "something is to be seen"


def test_all_pictures_together_are_no_burden() -> None:
    assert sum(file.stat().st_size for file in pictures.FOLDER.iterdir()) <= 1_000_000


def test_without_a_browser_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise MissingError

    monkeypatch.setattr(pictures, "take", missing)
    with logs_given_back(), pytest.raises(SystemExit, match="apt-get install chromium"):
        pictures.main()
    assert capsys.readouterr().out == ""
