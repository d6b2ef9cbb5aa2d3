import pytest

from bot.prompting.emphasis import weigh


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("", []),
        ("a cat", [("a cat", 1.0)]),
        ("a (cat:1.5) here", [("a ", 1.0), ("cat", 1.5), (" here", 1.0)]),
        ("(cat)", [("cat", 1.1)]),
        ("((cat))", [("cat", 1.21)]),
        ("[cat]", [("cat", 1 / 1.1)]),
        ("((a) b:2)", [("a", 2.2), (" b", 2.0)]),
        ("(cat: 0.5 )", [("cat", 0.5)]),
        (r"a \(b\) \\", [(r"a (b) \\"[:-1], 1.0)]),
        ("(cat", [("cat", 1.1)]),
        ("cat) and ] more", [("cat) and ] more", 1.0)]),
        ("16:9 at 12:30", [("16:9 at 12:30", 1.0)]),
        ("[cat:1.5)", [("cat:1.5)", 1 / 1.1)]),
        ("back\\slash", [("back\\slash", 1.0)]),
    ],
)
def test_signs_become_weights(prompt: str, parts: list[tuple[str, float]]) -> None:
    found = weigh(prompt)
    assert [text for text, _ in found] == [text for text, _ in parts]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in parts])


def test_no_text_is_so_odd_that_it_takes_long() -> None:
    assert len(weigh("((a" * 30_000)) > 1
    assert weigh(f":{'1' * 200_000}") == [(f":{'1' * 200_000}", 1.0)]
