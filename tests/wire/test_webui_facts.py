import json

import pytest

from bot.backends.webui import listings, telling
from bot.domain.capability import Listing, ModelFacts

KOHYA = {
    "name": "water",
    "metadata": {
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_tag_frequency": {"10_water": {"watercolour": 20, "paper": 5}, "5_more": {"paper": 40}},
    },
}
MODELSPEC = {
    "name": "ink",
    "metadata": {
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.trigger_phrase": "inkstyle, black ink",
        "ss_tag_frequency": json.dumps({"a": {"never": 1}}),
    },
}


@pytest.mark.parametrize(
    ("item", "facts"),
    [
        (KOHYA, ModelFacts(family="SDXL", triggers=("paper", "watercolour"))),
        (MODELSPEC, ModelFacts(family="SD 1.5", triggers=("inkstyle", "black ink"))),
        ({"model_name": "m", "hash": "dba7816360", "sha256": "dba7816360736121"}, ModelFacts(hash="dba7816360")),
        ({"model_name": "m", "hash": None, "sha256": "dba7816360736121"}, ModelFacts(hash="dba7816360")),
        ({"model_name": "m", "hash": "8888888888", "sha256": "8" * 64}, None),
        ({"name": "x", "metadata": {"ss_base_model_version": "wuerstchen"}}, ModelFacts(family="wuerstchen")),
        ({"name": "x", "metadata": {"ss_tag_frequency": "{"}}, None),
        ({"name": "x", "metadata": {"ss_tag_frequency": {"a": {"b": "c"}}}}, None),
        ({"name": "x", "metadata": None}, None),
    ],
)
def test_what_a_server_tells_of_a_file_is_read(item: dict[str, object], facts: ModelFacts | None) -> None:
    assert telling.facts(item) == facts


def test_facts_come_with_the_list() -> None:
    [entry] = listings.read(Listing.LORAS, json.dumps([KOHYA]).encode())
    assert entry.facts == ModelFacts(family="SDXL", triggers=("paper", "watercolour"))
