import json
from base64 import b64encode
from random import Random

import pytest

from bot.backends.decoding import elements, listed, split

PICTURES = [Random(n).randbytes(size) for n, size in enumerate((1, 3, 200_000, 700_001))]  # noqa: S311


@pytest.mark.parametrize("indent", [None, 2])
def test_pictures_are_cut_out_and_the_rest_is_parsed(indent: int | None) -> None:
    answer = {
        "a": 'a "images": [ in a prompt',
        "images": [b64encode(p).decode() for p in PICTURES],
        "info": "{}",
    }
    images, rest = split(bytearray(json.dumps(answer, indent=indent).encode()))
    assert images == PICTURES
    assert rest == {**answer, "images": []}


def test_a_data_address_is_read_too() -> None:
    text = "data:image/png;base64," + b64encode(b"abc").decode()
    assert split(bytearray(json.dumps({"images": [text]}).encode()))[0] == [b"abc"]


def test_no_pictures_are_no_pictures() -> None:
    assert split(bytearray(b'{"images": [], "info": ""}')) == ([], {"images": [], "info": ""})
    assert split(bytearray(b'{"error": "x"}')) == ([], {"error": "x"})


@pytest.mark.parametrize(
    "body",
    [
        b'{"images": ["AAAA',
        b'{"images": ["AAAA"',
        b'{"images": ["AAAA"]',
        b'{"images": ["AA!A"]}',
        b'{"images": ["AAA"]}',
        b'{"images": [7]}',
        b'{"images": ["AAAA", 7]}',
        b"<html>",
        b"",
    ],
)
def test_a_broken_answer_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        split(bytearray(body))


def test_a_list_is_read_one_element_at_a_time() -> None:
    items = [{"name": "a, b"}, ["]"], 3, None]
    assert list(elements(json.dumps(items, indent=1).encode())) == items
    assert list(elements(b" [] ")) == []


@pytest.mark.parametrize("body", [b"{}", b"<html>", b"", b'[{"a": 1}', b"[{]", b"[" * 99_999 + b"]" * 99_999])
def test_what_is_no_list_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        list(elements(body))


@pytest.mark.parametrize("indent", [None, 2])
def test_the_lists_of_an_object_are_read_one_element_at_a_time(indent: int | None) -> None:
    answer = {"a": [{"b": [1, "]"]}, ["}"]], "c": {"a": [5]}, "d": [], "e": None, "f": ['"a": [7']}
    body = json.dumps(answer, indent=indent).encode()
    assert list(listed(body)) == [("a", {"b": [1, "]"]}), ("a", ["}"]), ("f", '"a": [7')]
    assert list(listed(b" {} ")) == []


@pytest.mark.parametrize(
    "body", [b"[]", b"<html>", b"", b"{", b'{"a"', b'{"a": [', b'{"a": [1', b"{[1]: 2}", b'{"a": ' + b"[" * 99_999]
)
def test_what_is_no_object_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        list(listed(body))
