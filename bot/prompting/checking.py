"""What looks wrong in a prompt before it is painted: brackets without their half, too many words, unknown tags.

Nothing here stops a job: prompts may be odd on purpose.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from bot.domain.searching import nearest
from bot.domain.text import N_, Text
from bot.prompting import loras as tags
from bot.prompting.emphasis import weigh
from bot.prompting.wildcards import Drawn, unclosed

CHUNK_TOKENS = 75
"""Tokens that CLIP reads at once, without its two marks (openai/CLIP, ``simple_tokenizer.py``)."""
MANY_TOKENS = 3 * CHUNK_TOKENS
"""Beyond this a prompt's words drown each other."""

_PAIRS = {")": "(", "]": "[", ">": "<"}
_SIGN = re.compile(r"\\.|[()\[\]]|<(?=(?i:lora|lyco):)|(?<!-)>", re.DOTALL)
_AROUND = 12
"""Characters of the prompt shown on each side of a bracket."""
_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)\b|[^\W\d_]+|\d|[^\s\w]+|_", re.IGNORECASE)
_LONG_WORD = 8
"""Most words up to this many letters are one token; longer ones take one more for about as many again."""
_TOLD = 3
"""Unknown names of one kind that are told of one text."""
_NO_LIST = N_("There is no list “{name}” here; see which there are: /wildcard list")
_ENDLESS = N_("The list “{name}” comes to no end: it names itself, or there is too much to draw.")
_EMBEDDING = re.compile(r"\bembedding:([\w./-]+)", re.IGNORECASE)


def warnings(
    prompt: str,
    negative_prompt: str = "",
    *,
    loras: Sequence[str] = (),
    embeddings: Sequence[str] = (),
    max_tokens: int = MANY_TOKENS,
) -> tuple[Text, ...]:
    """Return marked words for each thing that looks wrong, the first found first.

    ``loras`` and ``embeddings`` are the names the backends list; an empty list says nothing. ``max_tokens`` is
    what the model reads of a prompt.
    """
    return tuple(
        warning
        for text in (prompt, negative_prompt)
        for warning in (
            *_brackets(text),
            *_length(text, max_tokens),
            *_unknown(N_("LoRA"), [lora.name for lora in tags.in_prompt(text)], loras),
            *_unknown(N_("embedding"), _EMBEDDING.findall(text), embeddings),
        )
    )


def undrawn(template: str, drawn: Drawn) -> tuple[Text, ...]:
    """Return marked words for what of a ``template`` was left in the prompt that it came to."""
    at = unclosed(template)
    return (
        *((_never_closed("{", template, at),) if at is not None else ()),
        *(Text(_NO_LIST, {"name": name}) for name in drawn.unknown[:_TOLD]),
        *(Text(_ENDLESS, {"name": name}) for name in drawn.endless[:_TOLD]),
    )


def tokens(prompt: str) -> int:
    """Return about how many CLIP tokens a prompt has, without its signs of emphasis and its LoRA tags."""
    words = "".join(text for text, _ in weigh(tags.without_tags(prompt)))
    return sum(map(_tokens_of, _PIECE.findall(words)))


def _tokens_of(piece: str) -> int:
    if not piece.isascii():
        # CLIP's vocabulary is of English: other letters take about one token for each of them.
        return len(piece)
    return 1 + (len(piece) - 1) // _LONG_WORD if piece.isalpha() else 1


def _brackets(text: str) -> Iterator[Text]:
    """Yield words for the first bracket that has no other half; one often brings the next out of step."""
    opened: list[tuple[str, int]] = []
    for found in _SIGN.finditer(text):
        sign = found[0]
        if sign in _PAIRS.values():
            opened.append((sign, found.start()))
        elif sign in _PAIRS:
            if opened and opened[-1][0] == _PAIRS[sign]:
                opened.pop()
            elif sign != ">":
                yield Text(
                    N_("“{sign}” closes nothing at “{near}”."), {"sign": sign, "near": _near(text, found.start())}
                )
                return
    if opened:
        sign, at = opened[-1]
        yield _never_closed(sign, text, at)


def _never_closed(sign: str, text: str, at: int) -> Text:
    return Text(N_("“{sign}” is never closed at “{near}”."), {"sign": sign, "near": _near(text, at)})


def _near(text: str, at: int) -> str:
    """Return the whole words around a bracket."""
    before, after = text[max(0, at - _AROUND) : at], text[at : at + _AROUND + 1]
    if at > _AROUND:
        before = before.partition(" ")[2] or before
    if at + _AROUND + 1 < len(text):
        after = after.rpartition(" ")[0] or after
    return " ".join(f"{before}{after}".split())


def _length(text: str, max_tokens: int) -> Iterator[Text]:
    count = tokens(text)
    if count > max_tokens:
        yield Text(
            N_("About {count} tokens: what stands beyond {max} hardly counts."),
            {"count": count, "max": max_tokens},
        )


def _unknown(kind: str, used: Sequence[str], known: Sequence[str]) -> Iterator[Text]:
    """Yield words for the first names that nobody lists; each is compared with all that are listed."""
    if not known or not used:
        return
    folded = {form for name in known for form in _forms(name)}
    unknown = (name for name in dict.fromkeys(used) if name.strip().casefold() not in folded)
    for name in islice(unknown, _TOLD):
        yield Text(
            N_("There is no {kind} “{name}” here; the nearest is “{nearest}”."),
            {"kind": kind, "name": name[:100], "nearest": nearest(name, known) or ""},
        )


def _forms(name: str) -> tuple[str, str]:
    """Return how a file may be named in a prompt: with its folder, and without folder and ending."""
    bare = re.sub(r"\.(safetensors|ckpt|pt|bin)$", "", name, flags=re.IGNORECASE)
    return bare.casefold(), re.split(r"[\\/]", bare)[-1].casefold()
