"""A paint request as the stand-in understands it, and the recipe that a server writes for it."""

import zlib
from dataclasses import dataclass
from typing import Any

from tests.standins.webui_extras import Extras
from tests.standins.webui_kin import Kin, recording

_DEFAULTS = {
    "prompt": "",
    "negative_prompt": "",
    "seed": -1,
    "batch_size": 1,
    "n_iter": 1,
    "steps": 50,
    "width": 512,
    "height": 512,
    "cfg_scale": 7.0,
    "hr_scale": 2.0,
    "denoising_strength": 0.75,
}
_VERSIONS = {Kin.A1111: "1.10.1", Kin.FORGE: "f2.0.1v1.10.1-previous-669-gdfdcbab6"}


@dataclass(frozen=True)
class Order:
    """A request with what the server makes of it; sizes in px, ``size`` that of the finished pictures."""

    asked: dict[str, Any]
    init_image: bool
    seeds: list[int]
    base: tuple[int, int]
    size: tuple[int, int]
    sampler: str
    scheduler: str
    model: str
    model_hash: str
    clip_skip: int
    vae: str | None


class Orders(Extras):
    """Reads requests and writes recipes."""

    def _order(self, path: str, content: dict[str, Any]) -> Order:
        asked: dict[str, Any] = _DEFAULTS | {key: value for key, value in content.items() if value is not None}
        loops = 1 if self._kin is Kin.SDCPP else asked["n_iter"]
        first = asked["seed"] if asked["seed"] >= 0 else 1_000_000 + self._began
        base = (asked["width"] // 8 * 8, asked["height"] // 8 * 8)
        size = base
        # SD.Next's hr_resize_mode 0, its default, refines at the same size (so recorded).
        if asked.get("enable_hr") and (self._kin is not Kin.SDNEXT or asked.get("hr_resize_mode")):
            wide, high = (int(side * asked["hr_scale"]) // 8 * 8 for side in base)
            size = (asked.get("hr_resize_x") or wide, asked.get("hr_resize_y") or high)
        model = self.model
        found = next(item for item in self._models() if item["model_name"] == model)
        real = recording("get_sd_models")["body"][0]
        digest = real["hash"] if model == real["model_name"] else f"{zlib.crc32(model.encode()):010x}"
        skip = self.options.get("CLIP_stop_at_last_layers", 1)
        if self._kin not in {Kin.A1111, Kin.FORGE}:
            skip = asked.get("clip_skip", self.options.get("clip_skip", 1))
        sampler, scheduler = self._sampler(asked)
        return Order(
            asked=self._styled(asked),
            init_image=path.endswith("img2img"),
            seeds=[first + i for i in range(asked["batch_size"] * loops)],
            base=base,
            size=size,
            sampler=sampler,
            scheduler=scheduler,
            model=model,
            model_hash=found["hash"] or digest,
            clip_skip=int(skip),
            vae=self.options.get("sd_vae"),
        )

    def _styled(self, asked: dict[str, Any]) -> dict[str, Any]:
        for name in asked.get("styles", []):
            prompt, negative = self.styles.get(name, ("", ""))
            for key, text in (("prompt", prompt), ("negative_prompt", negative)):
                asked = asked | {key: ", ".join(filter(None, (asked[key], text)))}
        return asked

    def _sampler(self, asked: dict[str, Any]) -> tuple[str, str]:
        """Return sampler and scheduler as the server settles on them: it falls back and says nothing."""
        default = {Kin.SDNEXT: "UniPC", Kin.SDCPP: "euler_a"}.get(self._kin, "Euler")
        name = str(asked.get("sampler_name") or default)
        known = [item["name"] for item in self._samplers()]
        if self._kin is Kin.SDCPP:
            plain = name.lower().replace(" ", "_")
            return (plain if plain in known[1:] else "euler_a"), "discrete"
        if self._kin is Kin.SDNEXT or self.old:
            return name, "Automatic"
        labels = {key: item["label"] for item in self._schedulers() for key in (item["name"], item["label"])}
        scheduler = labels.get(asked.get("scheduler"), "Automatic")
        for label in labels.values():
            if name not in known and name.removesuffix(f" {label}") in known:
                return name.removesuffix(f" {label}"), label
        for item in self._samplers():
            if name == item["name"] or name in item["aliases"]:
                return item["name"], scheduler
        return known[0], "Karras"

    def _schedulers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = recording("get_schedulers", self._kin)["body"]
        return found

    def _known_scripts(self) -> set[str]:
        found = recording("get_scripts", self._kin)["body"].values() if self._kin is not Kin.SDCPP else ()
        listed = {name.casefold() for names in found for name in names} - {"controlnet"}
        return listed | {name.casefold() for name in self.scripts}

    def _known_samplers(self) -> set[str]:
        return {"Default", *(item["name"] for item in self._samplers())}

    def _recipe(self, order: Order, seed: int) -> str:
        asked = order.asked
        lines = [asked["prompt"]]
        if asked["negative_prompt"]:
            lines.append(f"Negative prompt: {asked['negative_prompt']}")
        match self._kin:
            case Kin.SDNEXT:
                facts = self._sdnext_facts(order, seed)
            case Kin.SDCPP:
                facts = self._sdcpp_facts(order, seed)
            case _:
                facts = self._facts(order, seed)
        last = ", ".join(f"{key}: {value}" for key, value in facts.items() if value not in {None, ""})
        return "\n".join([*lines, last])

    def _facts(self, order: Order, seed: int) -> dict[str, Any]:
        asked, hires = order.asked, order.asked.get("enable_hr")
        masked, varied = asked.get("mask"), asked.get("subseed_strength")
        area = "Only masked" if asked.get("inpaint_full_res", True) else None
        return {
            "Steps": asked["steps"],
            "Sampler": order.sampler,
            "Schedule type": order.scheduler,
            "CFG scale": float(asked["cfg_scale"]),
            "Seed": seed,
            "Face restoration": "CodeFormer" if asked.get("restore_faces") else None,
            "Size": f"{asked['width']}x{asked['height']}",
            "Model hash": order.model_hash,
            "Model": order.model,
            "VAE": None if order.vae in {"Automatic", "None"} else order.vae,
            "Variation seed": asked.get("subseed", -1) if varied else None,
            "Variation seed strength": varied or None,
            "Denoising strength": asked["denoising_strength"] if order.init_image or hires else None,
            "Clip skip": order.clip_skip if order.clip_skip > 1 else None,
            "Tiling": asked.get("tiling") or None,
            "Mask blur": asked.get("mask_blur", 4) if masked else None,
            "Inpaint area": area if masked else None,
            "Masked area padding": asked.get("inpaint_full_res_padding", 0) if masked and area else None,
            "Refiner": asked.get("refiner_checkpoint"),
            "Refiner switch at": asked.get("refiner_switch_at") if asked.get("refiner_checkpoint") else None,
            "Hires upscale": asked["hr_scale"] if hires else None,
            "Hires steps": asked.get("hr_second_pass_steps") or None if hires else None,
            "Hires upscaler": asked.get("hr_upscaler") if hires else None,
            "Version": _VERSIONS[self._kin],
        }

    @staticmethod
    def _sdnext_facts(order: Order, seed: int) -> dict[str, Any]:
        asked, (width, height) = order.asked, order.base
        work = "inpaint" if asked.get("mask") else "img2img" if order.init_image else "txt2img"
        return {
            "Steps": asked["steps"],
            "Size": f"{width}x{height}",
            "Sampler": order.sampler,
            "Seed": seed,
            "CFG scale": float(asked["cfg_scale"]),
            "Clip skip": order.clip_skip if order.clip_skip > 1 else None,
            "App": "SD.Next",
            "Version": "unknown",
            "Operations": f"{work}; hires" if asked.get("enable_hr") else work,
            "Model": order.model,
            "Model hash": order.model_hash,
            "Denoising strength": asked["denoising_strength"] if order.init_image else None,
        }

    @staticmethod
    def _sdcpp_facts(order: Order, seed: int) -> dict[str, Any]:
        asked, (width, height) = order.asked, order.size
        return {
            "Steps": asked["steps"],
            "CFG scale": f"{asked['cfg_scale']:.6f}",
            "Seed": seed,
            "Size": f"{width}x{height}",
            "Model": f"{order.model}.safetensors",
            "Sampler": order.sampler,
            "Version": "stable-diffusion.cpp",
        }
