"""From prompts to what the UNet reads of them, as the WebUI does it: emphasis, any length, CLIP skip.

diffusers cuts prompts after 77 tokens, and writes what it cut to the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from bot.prompting.emphasis import weigh

_CHUNK = 75
"""Tokens that CLIP reads at once, without its marks for beginning and end."""
_BREAK = "BREAK"
_XL_SKIP = 2
_MOST = 2.0
Chunks = list[list[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt and its negative as tensors with the same number of tokens; ``pooled`` is SDXL's."""

    positive: Any
    negative: Any
    pooled: Any = None
    negative_pooled: Any = None

    @property
    def tokens(self) -> int:
        """How many tokens both have."""
        return int(self.positive.shape[1])


def encode(pipeline: Any, prompt: str, negative: str, clip_skip: int) -> Text:
    """Encode both prompts; ``clip_skip`` counts CLIP's layers from the end, 1 is the last.

    SDXL was trained on the last but one, whatever is asked for.
    """
    both = [(pipeline.tokenizer, pipeline.text_encoder)]
    second = getattr(pipeline, "text_encoder_2", None)
    if second is not None:
        both.append((pipeline.tokenizer_2, second))
    states: list[list[Any]] = [[], []]
    pooled: list[Any] = [None, None]
    with torch.no_grad():
        for tokenizer, encoder in both:
            chunked = [_chunks(tokenizer, prompt), _chunks(tokenizer, negative)]
            longest = max(map(len, chunked))
            for i, chunks in enumerate(chunked):
                padded = chunks + [[]] * (longest - len(chunks))
                state, pool = _encoded(tokenizer, encoder, padded, clip_skip, xl=second is not None)
                states[i].append(state)
                pooled[i] = pool
    positive, other = (torch.cat(parts, dim=-1) for parts in states)
    return Text(positive, other, *pooled) if second is not None else Text(positive, other)


def _chunks(tokenizer: Any, prompt: str) -> Chunks:
    chunks: Chunks = [[]]
    for text, weight in weigh(prompt):
        for n, part in enumerate(text.split(_BREAK)):
            if n:
                chunks.append([])
            for token in tokenizer(part, add_special_tokens=False, verbose=False).input_ids:
                if len(chunks[-1]) == _CHUNK:
                    chunks.append([])
                chunks[-1].append((token, weight))
    return chunks


def _encoded(tokenizer: Any, encoder: Any, chunks: Chunks, clip_skip: int, *, xl: bool) -> tuple[Any, Any]:
    ids = torch.tensor([list(_framed(tokenizer, chunk)) for chunk in chunks], device=encoder.device)
    found = encoder(ids, output_hidden_states=True)
    if xl:
        state = found.hidden_states[-_XL_SKIP]
    elif clip_skip == 1:
        state = found[0]
    else:
        deepest = len(found.hidden_states) - 1
        state = encoder.final_layer_norm(found.hidden_states[-min(clip_skip, deepest)])
    state = _weighed(state, chunks).reshape(1, -1, state.shape[-1])
    # Only the second encoder of SDXL has a projection, and only its first chunk speaks for the whole.
    return state, found[0][:1]


def _framed(tokenizer: Any, chunk: list[tuple[int, float]]) -> Iterator[int]:
    yield tokenizer.bos_token_id
    yield from (token for token, _ in chunk)
    yield tokenizer.eos_token_id
    yield from [tokenizer.pad_token_id] * (_CHUNK - len(chunk))


def _weighed(state: Any, chunks: Chunks) -> Any:
    """Multiply what each token became by its weight, and bring the mean back to what it was."""
    if all(weight == 1 for chunk in chunks for _, weight in chunk):
        return state
    rows = [[1.0, *(weight for _, weight in chunk)] for chunk in chunks]
    padded = [row + [1.0] * (_CHUNK + 2 - len(row)) for row in rows]
    weights = torch.tensor(padded, device=state.device, dtype=state.dtype)[..., None]
    changed = state * weights
    # A mean near zero is no measure: it would blow the numbers up.
    share = (state.float().mean() / changed.float().mean()).nan_to_num(1.0).clamp(1 / _MOST, _MOST)
    return changed * share.to(state.dtype)
