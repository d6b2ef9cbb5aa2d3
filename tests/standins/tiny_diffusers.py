"""Models for diffusers that are small enough for a test: random weights, no download, a megabyte or three each.

Every kind of file that people keep: folders of pipelines, one checkpoint in a single file, a ControlNet, a LoRA.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

_WIDTH = 32
_RANK = 2
_NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
_RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
_UNET = (
    ("time_embedding.linear_1", "time_embed.0"),
    ("time_embedding.linear_2", "time_embed.2"),
    ("conv_in", "input_blocks.0.0"),
    ("conv_norm_out", "out.0"),
    ("conv_out", "out.2"),
    ("down_blocks.0.resnets.0", "input_blocks.1.0"),
    ("down_blocks.0.resnets.1", "input_blocks.2.0"),
    ("down_blocks.0.downsamplers.0.conv", "input_blocks.3.0.op"),
    ("down_blocks.1.resnets.0", "input_blocks.4.0"),
    ("down_blocks.1.attentions.0", "input_blocks.4.1"),
    ("down_blocks.1.resnets.1", "input_blocks.5.0"),
    ("down_blocks.1.attentions.1", "input_blocks.5.1"),
    ("mid_block.resnets.0", "middle_block.0"),
    ("mid_block.attentions.0", "middle_block.1"),
    ("mid_block.resnets.1", "middle_block.2"),
    ("up_blocks.0.resnets.0", "output_blocks.0.0"),
    ("up_blocks.0.attentions.0", "output_blocks.0.1"),
    ("up_blocks.0.resnets.1", "output_blocks.1.0"),
    ("up_blocks.0.attentions.1", "output_blocks.1.1"),
    ("up_blocks.0.resnets.2", "output_blocks.2.0"),
    ("up_blocks.0.attentions.2", "output_blocks.2.1"),
    ("up_blocks.0.upsamplers.0", "output_blocks.2.2"),
    ("up_blocks.1.resnets.0", "output_blocks.3.0"),
    ("up_blocks.1.resnets.1", "output_blocks.4.0"),
    ("up_blocks.1.resnets.2", "output_blocks.5.0"),
)
_VAE = (
    *((f"down_blocks.{level}.resnets", f"down.{level}.block") for level in range(4)),
    *((f"down_blocks.{level}.downsamplers.0", f"down.{level}.downsample") for level in range(4)),
    *((f"up_blocks.{level}.resnets", f"up.{3 - level}.block") for level in range(4)),
    *((f"up_blocks.{level}.upsamplers.0", f"up.{3 - level}.upsample") for level in range(4)),
    ("mid_block.resnets.0", "mid.block_1"),
    ("mid_block.resnets.1", "mid.block_2"),
    ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
    ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
    ("mid_block.attentions.0.to_", "mid.attn_1."),
    ("conv_shortcut", "nin_shortcut"),
    ("conv_norm_out", "norm_out"),
)


@dataclass(frozen=True, slots=True)
class TinyModels:
    """Where the models lie; ``folder`` has them in ``models/``, ``controlnets/`` and ``loras/``."""

    folder: Path
    sd: Path
    other: Path
    xl: Path
    single_file: Path
    controlnet: Path
    lora: Path


def make_tiny_models(folder: Path) -> TinyModels:
    """Write all of them under ``folder``; ``single_file`` holds the same weights as ``other``."""
    for name in ("models", "controlnets", "loras"):
        (folder / name).mkdir(parents=True)
    tiny = TinyModels(
        folder,
        sd=folder / "models" / "tiny",
        other=folder / "models" / "other",
        xl=folder / "models" / "tiny-xl",
        single_file=folder / "models" / "single.safetensors",
        controlnet=folder / "controlnets" / "edges",
        lora=folder / "loras" / "tint.safetensors",
    )
    sd, other = _sd(tiny.sd, seed=1), _sd(tiny.other, seed=2)
    _xl(tiny.xl, seed=3)
    _controlnet(sd.unet, tiny.controlnet)
    _single_file(other, tiny.single_file)
    _lora(sd.unet, tiny.lora)
    return tiny


def _sd(folder: Path, seed: int) -> Any:
    torch.manual_seed(seed)
    pipeline = StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_text_config()),
        tokenizer=_tokenizer(folder.parent),
        unet=_unet(_WIDTH),
        scheduler=PNDMScheduler(**_NOISE, skip_prk_steps=True),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return pipeline


def _xl(folder: Path, seed: int) -> None:
    torch.manual_seed(seed)
    tokenizer = _tokenizer(folder.parent)
    unet = _unet(
        2 * _WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + _WIDTH,
        use_linear_projection=True,
    )
    StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_text_config()),
        text_encoder_2=CLIPTextModelWithProjection(_text_config()),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(**_NOISE),
        add_watermarker=False,
    ).save_pretrained(folder)


def _unet(attention_width: int, **more: Any) -> Any:
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=attention_width,
        **more,
    )


def _vae() -> Any:
    return AutoencoderKL(
        sample_size=64,
        block_out_channels=(32, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
    )


def _text_config() -> Any:
    return CLIPTextConfig(
        vocab_size=520,
        hidden_size=_WIDTH,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=_WIDTH,
        bos_token_id=518,
        eos_token_id=519,
        pad_token_id=519,
    )


def _tokenizer(folder: Path) -> Any:
    """Make one that reads every byte as a word of its own, as CLIP's byte-pair coding does before any merge."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(256 - len(printable))]
    words = [*symbols, *(symbol + "</w>" for symbol in symbols)]
    merges = ["t h", "i n", "a n", "e r", "o n", "r e"]
    words += [merge.replace(" ", "") for merge in merges] + ["<|startoftext|>", "<|endoftext|>"]
    vocabulary, rules = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({word: n for n, word in enumerate(words)}), encoding="utf-8")
    rules.write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
    tokenizer = CLIPTokenizer(str(vocabulary), str(rules), model_max_length=77)
    vocabulary.unlink()
    rules.unlink()
    return tokenizer


def _controlnet(unet: Any, folder: Path) -> None:
    """Write a copy of the UNet's first half whose last layers are not zero, so that it does something."""
    torch.manual_seed(4)
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 8, 16))
    for layer in (*net.controlnet_down_blocks, net.controlnet_mid_block, net.controlnet_cond_embedding.conv_out):
        torch.nn.init.normal_(layer.weight, std=0.5)
    net.save_pretrained(folder)


def _lora(unet: Any, path: Path) -> None:
    """Write one as kohya's trainer names it, which is the kind that people share."""
    torch.manual_seed(5)
    weights: dict[str, torch.Tensor] = {}
    for name, layer in unet.named_modules():
        if not re.search(r"attn[12]\.to_[qv]$", name):
            continue
        key = "lora_unet_" + name.replace(".", "_")
        # Mild: after a strong one the rounding of a sum would be seen in the picture.
        weights[key + ".lora_down.weight"] = torch.randn(_RANK, layer.in_features) / layer.in_features
        weights[key + ".lora_up.weight"] = torch.randn(layer.out_features, _RANK)
        weights[key + ".alpha"] = torch.tensor(float(_RANK))
    save_file(weights, path)


def _single_file(pipeline: Any, path: Path) -> None:
    """Write the pipeline's weights under the names of the original Stable Diffusion, as checkpoints have them."""
    weights: dict[str, torch.Tensor] = {}
    for name, value in pipeline.unet.state_dict().items():
        inner = _RESNET if ".resnets." in name else ()
        weights["model.diffusion_model." + _renamed(name, _UNET, inner)] = value
    for name, value in pipeline.vae.state_dict().items():
        # There the attention's layers are convolutions of one pixel.
        flat = re.search(r"attentions\.0\.to_.*weight$", name)
        weights["first_stage_model." + _renamed(name, _VAE)] = value[..., None, None] if flat else value
    for name, value in pipeline.text_encoder.state_dict().items():
        weights["cond_stage_model.transformer.text_model." + name.removeprefix("text_model.")] = value
    save_file({name: value.contiguous() for name, value in weights.items()}, path)


def _renamed(name: str, *tables: tuple[tuple[str, str], ...]) -> str:
    for table in tables:
        for ours, theirs in table:
            name = name.replace(ours, theirs)
    return name
