"""What the stand-in can do with a finished picture, and the extensions it has."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.standins import webui_pictures as pictures
from tests.standins.webui_answers import API, Answers, Routes
from tests.standins.webui_kin import Kin, answered, crashed, recording, refused

# How many arguments an extension's script takes.
_ARGUMENTS = {"reactor": 24, "roop": 11, "controlnet": 3, "adetailer": 6}


class Extras(Answers):
    """Upscaling, captions, recipes, cut-outs, scripts and ControlNet's lists."""

    def _extra(self) -> Routes:
        if self._kin is Kin.SDCPP:
            return {}
        routes: Routes = {
            f"POST {API}extra-single-image": self._upscale,
            f"POST {API}png-info": self._png_info,
            f"GET {API}scripts": lambda _: self._scripts(),
        }
        if self._kin is not Kin.SDNEXT:
            routes[f"POST {API}interrogate"] = self._interrogate
            routes[f"GET {API}script-info"] = lambda _: self._script_info()
            if self.has_script("controlnet"):
                routes |= self._controlnet()
        if self.rembg:
            routes["POST /rembg"] = self._cut_out
        return routes

    def _controlnet(self) -> Routes:
        """The lists as Forge has them built in; the extension for A1111 answers in the same shape."""
        modules = recording("get_controlnet_module_list", Kin.FORGE)["body"]
        types = recording("get_controlnet_control_types", Kin.FORGE)["body"]
        known = [*(["None"] if self._kin is Kin.FORGE else []), *self.controlnet_models]
        for kind, entry in types["control_types"].items():
            entry["model_list"] = [
                "None",
                *(
                    n
                    for n in self.controlnet_models
                    if kind.casefold() in {"all", *n.partition(" [")[0].split("_")}
                ),
            ]
            entry["default_model"] = entry["model_list"][-1]
        return {
            "GET /controlnet/model_list": lambda _: {"model_list": known},
            "GET /controlnet/module_list": lambda _: modules,
            "GET /controlnet/control_types": lambda _: types,
        }

    def _scripts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = recording("get_scripts", self._kin)["body"]
        for listed in found.values():
            listed[:] = [n for n in listed if n != "controlnet"] + [n.lower() for n in self.scripts]
        return found

    def _script_info(self) -> list[dict[str, Any]]:
        limits = dict.fromkeys(("minimum", "maximum", "step", "choices"))
        return [
            {
                "name": name.lower(),
                "is_alwayson": True,
                "is_img2img": is_img2img,
                "args": [{"label": "", "value": None, **limits}] * _ARGUMENTS.get(name.lower(), 1),
            }
            for is_img2img in (False, True)
            for name in self.scripts
        ]

    def _picture(self, content: Any) -> bytes | web.Response:
        picture = pictures.decoded(content)
        return refused(self._kin, 500, "Invalid encoded image") if picture is None else picture

    def _with(self, content: Any, key: str, do: Callable[[bytes], Any]) -> Any:
        picture = self._picture(content.get(key, ""))
        return picture if isinstance(picture, web.Response) else do(picture)

    def _upscale(self, content: Any) -> Any:
        if self._kin is Kin.SDNEXT:
            return answered("extra_single_image", self._kin)
        chosen = [content.get(key) or "None" for key in ("upscaler_1", "upscaler_2")]
        for name in chosen:
            if name not in self.upscalers:
                return crashed(self._kin, "AssertionError", f"could not find upscaler named {name}")

        def scale(picture: bytes) -> dict[str, str]:
            width, height = pictures.size(picture)
            factor = content.get("upscaling_resize", 2)
            if chosen[0] == "None":
                factor = 1
            target = (round(width * factor), round(height * factor))
            if content.get("resize_mode") == 1 and factor != 1:
                target = (content["upscaling_resize_w"], content["upscaling_resize_h"])
            notes = f"<p>Postprocess upscale by: {float(factor)}, Postprocess upscaler: {chosen[0]}</p>"
            return {"html_info": notes, "image": pictures.encoded(pictures.scaled(picture, *target))}

        return self._with(content, "image", scale)

    def _png_info(self, content: Any) -> Any:
        def tell(picture: bytes) -> Any:
            if not (text := pictures.told(picture)):
                return self._no_recipe()
            return recording("png_info", self._kin)["body"] | {"info": text}

        return self._with(content, "image", tell)

    def _no_recipe(self) -> Any:
        """Answer for a picture without a recipe: A1111 has one ready all the same, for tests of the client."""
        return answered("png_info" if self._kin is Kin.A1111 else "png_info_none", self._kin)

    def _interrogate(self, content: Any) -> Any:
        if content.get("model", "clip") not in {"clip", "deepdanbooru"}:
            return refused(self._kin, 404, "Model not found")
        caption = "a cat" if content.get("model", "clip") == "clip" else "cat, no humans"
        return self._with(content, "image", lambda _: {"caption": caption})

    def _cut_out(self, content: Any) -> Any:
        if content.get("model", "u2net") == "None":
            return None
        return self._with(
            content, "input_image", lambda picture: {"image": pictures.encoded(pictures.cut_out(picture))}
        )
