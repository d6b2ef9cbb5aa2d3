import pytest

from bot.domain.families import Family, family
from bot.domain.options import Shape


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("v1-5-pruned-emaonly.safetensors [6ce0161689]", Family.SD15),
        ("sd/dreamshaper_8.safetensors [879db523c3]", Family.SD15),
        ("v2-1_768-ema-pruned", Family.SD2),
        ("sd_xl_base_1.0.safetensors [31e35c80fc]", Family.SDXL),
        ("ponyDiffusionV6XL_v6", Family.SDXL),
        ("DreamShaperXL_Turbo_v2", Family.SDXL),
        ("sd_xl_turbo_1.0_fp16", Family.SDXL_TURBO),
        ("sd3.5_large", Family.SD3),
        ("flux1-dev-bnb-nf4-v2", Family.FLUX),
        ("qwen_image_fp8_e4m3fn", Family.QWEN),
        ("sketch (no model)", Family.UNKNOWN),
        ("my own merge", Family.UNKNOWN),
    ],
)
def test_a_name_tells_its_family(name: str, expected: Family) -> None:
    assert family(name) is expected


def test_shapes_of_a_family_are_sizes_it_was_trained_on() -> None:
    assert [shape.size(Family.SDXL.side**2) for shape in Shape] == [
        (1024, 1024),
        (832, 1216),
        (1216, 832),
        (768, 1344),
        (1344, 768),
    ]
    assert Shape.PORTRAIT.size(Family.SD15.side**2) == (448, 640)
