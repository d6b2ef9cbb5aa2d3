"""Painting: what is refused before, and what is answered after."""

import json
from math import ceil
from typing import Any

from aiohttp import web

from tests.standins import webui_pictures as pictures
from tests.standins.webui_faults import Fault
from tests.standins.webui_kin import Kin, crashed, invalid, recording, refused
from tests.standins.webui_orders import Order, Orders
from tests.standins.webui_state import Running

_WHOLE = ("seed", "batch_size", "n_iter", "steps", "width", "height")
# What a request that leaves these out is echoed with.
_PLAIN = {"prompt": "", "negative_prompt": "", "seed": -1, "steps": 50, "width": 512, "height": 512}


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.lstrip("-").isdigit())


class Painter(Orders):
    """Paints one colour per seed."""

    def _refuse(self, path: str, content: dict[str, Any]) -> web.Response | None:
        if wrong := {k: content[k] for k in _WHOLE if content.get(k) is not None and not _is_whole(content[k])}:
            return invalid(self._kin, wrong)
        if self._kin is Kin.SDCPP:
            return None if content.get("prompt") else refused(self._kin, 400, "prompt required")
        return self._refuse_names(content) or self._refuse_init_image(path, content) or self._refuse_units(content)

    def _refuse_names(self, content: dict[str, Any]) -> web.Response | None:
        sdnext = self._kin is Kin.SDNEXT
        if sdnext and (content.get("sampler_name") or "Default") not in self._known_samplers():
            return refused(self._kin, 404, "Sampler not found")
        known = self._known_scripts()
        if not sdnext and (name := content.get("script_name")) and name.casefold() not in known:
            return refused(self._kin, 422, f"Script '{name}' not found")
        for name in content.get("alwayson_scripts") or {}:
            if name.casefold() not in known:
                words = f"Always on script not found: {name}" if sdnext else f"Script '{name}' not found"
                return refused(self._kin, 422, words)
        return None

    def _refuse_init_image(self, path: str, content: dict[str, Any]) -> web.Response | None:
        if not path.endswith("img2img"):
            return None
        sdnext, sources = self._kin is Kin.SDNEXT, content.get("init_images")
        if not sources:
            if sdnext:
                return web.json_response({"error": "Init image is none"}, status=400)
            return refused(self._kin, 404, "Init image not found")
        words = None
        if any(pictures.decoded(source) is None for source in sources):
            words = "Invalid encoded image"
        if str(sources[0]).startswith("http") and not sdnext:
            words = "Request to local resource not allowed"
        if words is None:
            return None
        self._stuck.append(content.get("force_task_id") or f"task(img2img-{len(self._stuck):07})")
        return refused(self._kin, 500, words)

    def _refuse_units(self, content: dict[str, Any]) -> web.Response | None:
        models = {"none", *(name.casefold() for name in self.controlnet_models)}
        models |= {name.partition(" [")[0] for name in models}
        for unit in self._units(content):
            if (name := str(unit.get("model") or "None")).casefold() not in models:
                return crashed(self._kin, "ValueError", f"ControlNet model not found: {name}")
        return None

    @staticmethod
    def _units(content: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the ControlNet units that are switched on."""
        scripts = {name.casefold(): entry for name, entry in (content.get("alwayson_scripts") or {}).items()}
        units = scripts.get("controlnet", {}).get("args", [])
        return [unit for unit in units if isinstance(unit, dict) and unit.get("enabled", True)]

    def _break_down(self, content: dict[str, Any]) -> web.Response | None:
        """Return the crash that the request brings about while it is worked on."""
        if content.get("steps") == 0 and self._kin in {Kin.A1111, Kin.FORGE}:
            return crashed(self._kin, "ZeroDivisionError", "integer division or modulo by zero")
        bare = content.get("enable_hr") and content.get("hr_additional_modules") is None
        if bare and self._kin is Kin.FORGE:
            return crashed(self._kin, "TypeError", "argument of type 'NoneType' is not iterable")
        return None

    async def _serve(
        self, path: str, content: dict[str, Any], fault: Fault | None
    ) -> web.Response | dict[str, Any]:
        """Paint in turn; the caller refused already what is refused before the queue."""
        task = content.get("force_task_id") or "?"
        self._waiting.append(task)
        async with self._lock:
            self._waiting.remove(task)
            wanted = content.get("override_settings") or {}
            before = self._override(wanted)
            order = self._order(path, content)
            passes = (2 if order.asked.get("enable_hr") else 1) * order.asked["n_iter"]
            run = await self._work(task, order.asked["steps"], passes, stall=fault is Fault.STALL)
            restore = content.get("override_settings_restore_afterwards", True)
            self._restore(wanted, before, restore=restore)
        if crash := self._break_down(content):
            return crash
        return self._result(path, content, order, run, fault)

    def _result(
        self, path: str, content: dict[str, Any], order: Order, run: Running, fault: Fault | None
    ) -> dict[str, Any]:
        texts = [self._recipe(order, seed) for seed in order.seeds]
        if fault is Fault.LIE:
            texts = [text.replace(f"Sampler: {order.sampler}", "Sampler: DPM++ 2M") for text in texts]
        info = self._info(order, texts)
        if fault is Fault.LIE:
            info["sampler_name"] = "DPM++ 2M"
        painted = self._pictures(order, run, [""] * len(texts) if fault is Fault.BARE else texts, fault)
        if fault is Fault.GRID:
            painted.insert(0, pictures.png(order.size[0] * 2, order.size[1] * 2, 999))
            info["index_of_first_image"] = 1
        images = [pictures.encoded(picture) for picture in painted]
        if fault is Fault.BROKEN_BASE64:
            images[0] = images[0][:40] + "!!" + images[0][42:]
        elif fault is Fault.NOT_A_PICTURE:
            images = [pictures.encoded(b"no picture at all")]
        elif fault is Fault.NO_IMAGES or content.get("send_images") is False:
            images = []
        plain = "" if fault is Fault.BARE or self._kin is Kin.SDCPP else json.dumps(info)
        return {"images": images, "parameters": self._echo(path, content), "info": plain}

    def _pictures(self, order: Order, run: Running, texts: list[str], fault: Fault | None) -> list[bytes]:
        count = len(order.seeds)
        if run.interrupted:
            if run.skips and self._kin is Kin.SDNEXT:
                return []
            loops = order.asked["n_iter"]
            begun = max(1, ceil(run.step * loops / max(1, run.total)))
            count = min(count, order.asked["batch_size"] * begun)
        shade = 1000 if run.interrupted else 0
        width, height = order.size
        if fault is Fault.SMALLER:
            width, height = width // 64 * 64, height // 64 * 64
        usual = "jpg" if self._kin is Kin.SDNEXT else "png"
        kind = self.options.get("samples_format", usual).upper().replace("JPG", "JPEG")
        painted = [
            pictures.png(width, height, seed + shade, text, noise_bytes=self.noise_bytes)
            if kind == "PNG"
            else pictures.other(kind, width, height, seed + shade, text, noise_bytes=self.noise_bytes)
            for seed, text in list(zip(order.seeds, texts, strict=True))[:count]
        ]
        maps = [
            pictures.png(*order.size, 77)
            for unit in self._units(order.asked)
            if unit.get("save_detected_map", True) and str(unit.get("model") or "None") != "None"
        ]
        return painted + maps

    def _info(self, order: Order, texts: list[str]) -> dict[str, Any]:
        if self._kin is Kin.SDCPP:
            return {}
        asked, count, sdnext = order.asked, len(texts), self._kin is Kin.SDNEXT
        info: dict[str, Any] = json.loads(recording("txt2img", self._kin)["body"]["info"])
        width, height = order.base if sdnext else (asked["width"], asked["height"])
        facts = {
            "prompt": asked["prompt"],
            "all_prompts": [asked["prompt"]] * count,
            "negative_prompt": asked["negative_prompt"],
            "all_negative_prompts": [asked["negative_prompt"]] * count,
            "seed": order.seeds[0],
            "all_seeds": order.seeds,
            "subseed": asked.get("subseed", -1),
            "all_subseeds": [asked.get("subseed", -1)] * count,
            "subseed_strength": asked.get("subseed_strength", 0),
            "width": width,
            "height": height,
            "sampler_name": order.sampler,
            "cfg_scale": float(asked["cfg_scale"]),
            "steps": asked["steps"],
            "batch_size": asked["batch_size"],
            "restore_faces": bool(asked.get("restore_faces")),
            "sd_model_name": order.model,
            "sd_model_hash": order.model_hash,
            "denoising_strength": asked["denoising_strength"],
            "infotexts": texts,
            "styles": asked.get("styles", []),
            "clip_skip": order.clip_skip,
        }
        return info | {key: value for key, value in facts.items() if key in info}

    def _echo(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """Return ``parameters``: every field the server knows, but not the pictures that were sent."""
        if self._kin is Kin.SDCPP:
            return dict(content)
        known = recording(path.rpartition("/")[2], self._kin)["body"]["parameters"]
        echo: dict[str, Any] = known | _PLAIN | {key: value for key, value in content.items() if key in known}
        wanted = echo.get("override_settings") or {}
        if wanted and self._kin is Kin.FORGE and not self._find_model(wanted.get("sd_model_checkpoint")):
            echo["override_settings"] = {k: v for k, v in wanted.items() if k != "sd_model_checkpoint"}
        for key in ("init_images", "mask"):
            if key in echo and not content.get("include_init_images"):
                echo[key] = None
        return echo
