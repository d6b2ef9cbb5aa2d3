"""The short answers of the stand-in: lists, options, progress, interrupts."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.standins.webui_faults import Fault
from tests.standins.webui_kin import MORE_SAMPLERS, Kin, answered, crashed, recording
from tests.standins.webui_pictures import encoded, other, png
from tests.standins.webui_state import Queue

Routes = dict[str, Callable[[Any], Any]]
API = "/sdapi/v1/"
_WEBUI = (Kin.A1111, Kin.FORGE)


class Answers(Queue):
    """What is answered at once; a route takes the body and returns one, or a whole response."""

    def _short(self) -> Routes:
        """Return the routes of lists, options and the job, by "METHOD path"."""
        routes = self._common()
        match self._kin:
            case Kin.A1111 | Kin.FORGE:
                routes |= self._of_webui()
            case Kin.SDNEXT:
                routes |= self._of_sdnext()
            case Kin.SDCPP:
                routes |= self._of_sdcpp()
        if self._kin is not Kin.SDCPP:
            routes |= self._of_python()
        if self.old:
            routes.pop(f"GET {API}schedulers", None)
        return routes

    def _common(self) -> Routes:
        return {
            f"GET {API}sd-models": lambda _: self._models(),
            f"GET {API}samplers": lambda _: self._samplers(),
            f"GET {API}schedulers": lambda _: answered("get_schedulers", self._kin),
            f"GET {API}upscalers": lambda _: self._upscalers(),
            f"GET {API}loras": lambda _: [{"name": n, "alias": n, "metadata": {}} for n in self.loras],
            f"GET {API}options": lambda _: self.options,
        }

    def _of_python(self) -> Routes:
        """What A1111, Forge and SD.Next have in common."""
        done: Any = web.Response(status=204) if self._kin is Kin.SDNEXT else None
        refreshes = ("checkpoints", "loras", "vae")
        return {
            **{f"POST {API}refresh-{what}": lambda _: done for what in refreshes},
            f"GET {API}progress": lambda _: self._progress(),
            f"POST {API}interrupt": lambda _: self._interrupt(),
            f"POST {API}skip": lambda _: self._skip(),
            f"POST {API}options": self._set_options,
            f"GET {API}memory": lambda _: recording("get_memory", self._kin)["body"],
            f"GET {API}embeddings": lambda _: self._embeddings(),
            f"GET {API}prompt-styles": lambda _: [
                {"name": name, "prompt": prompt, "negative_prompt": negative}
                for name, (prompt, negative) in self.styles.items()
            ],
        }

    def _of_webui(self) -> Routes:
        forge = self._kin is Kin.FORGE
        modes = recording("get_latent_upscale_modes", self._kin)["body"]
        esrgan = {"name": "R-ESRGAN 4x+", "path": "/srv/models/RealESRGAN_x4plus.pth", "scale": 4}
        flags = {"api": True, "api_auth": ":".join(self.auth) if self.auth else None, "data_path": "/srv/a1111"}
        routes: Routes = {
            f"GET {API}{'sd-modules' if forge else 'sd-vae'}": lambda _: self._vaes(),
            f"GET {API}hypernetworks": lambda _: [],
            f"GET {API}face-restorers": lambda _: [{"name": n, "cmd_dir": None} for n in ("CodeFormer", "GFPGAN")],
            f"GET {API}realesrgan-models": lambda _: [esrgan],
            f"GET {API}latent-upscale-modes": lambda _: modes,
            f"GET {API}cmd-flags": lambda _: (
                web.Response(status=500, text="Internal Server Error") if forge else flags
            ),
        }
        if self.ui:
            routes |= {
                "POST /internal/progress": self._task_progress,
                "GET /internal/pending-tasks": lambda _: self._pending(),
                "GET /internal/ping": lambda _: {},
            }
        return routes

    def _of_sdnext(self) -> Routes:
        return {
            f"GET {API}sd-vae": lambda _: self._vaes(),
            f"GET {API}version": lambda _: answered("get_version", self._kin),
            f"GET {API}status": lambda _: answered("get_status", self._kin),
            f"GET {API}history": lambda _: answered("get_history", self._kin),
            f"GET {API}checkpoint": lambda _: answered("get_checkpoint", self._kin),
            f"GET {API}cmd-flags": lambda _: {"auth": ":".join(self.auth) if self.auth else None},
            "POST /internal/progress": lambda _: self._sdnext_progress(),
        }

    def _of_sdcpp(self) -> Routes:
        capabilities = recording("get_capabilities", self._kin)["body"]
        name = self.models[0]
        path = f"/srv/models/{name}.safetensors"
        capabilities["model"] = {"name": f"{name}.safetensors", "path": path, "stem": name}
        latent = [item for item in capabilities["upscalers"] if item["name"].startswith("Latent")]
        return {
            "GET /sdcpp/v1/capabilities": lambda _: capabilities,
            f"GET {API}latent-upscale-modes": lambda _: latent,
        }

    def _samplers(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = recording("get_samplers", self._kin)["body"]
        return listed + [listed[-1] | {"name": name} for name in MORE_SAMPLERS.get(self._kin, ())]

    def _upscalers(self) -> list[dict[str, Any]]:
        known = {item["name"]: item for item in recording("get_upscalers", self._kin)["body"]}
        return [known.get(name, known["None"] | {"name": name}) for name in self.upscalers]

    def _vaes(self) -> list[dict[str, Any]]:
        return [{"model_name": name, "filename": f"/srv/models/VAE/{name}"} for name in self.vaes]

    def _embeddings(self) -> dict[str, Any]:
        if self._kin is Kin.SDNEXT:
            return {"loaded": list(self.embeddings), "skipped": []}
        facts = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None, "shape": 768, "vectors": 8}
        return {"loaded": dict.fromkeys(self.embeddings, facts), "skipped": {}}

    def _set_options(self, changes: Any) -> Any:
        if self._kin is Kin.SDNEXT:
            known = {key: key in self.options for key in changes}
            self._save({key: value for key, value in changes.items() if known[key]})
            return {"updated": [{key: found} for key, found in known.items()]}
        for key, value in changes.items():
            if key not in self.options:
                return crashed(self._kin, "KeyError", f"'{key}'")
            if key == "sd_model_checkpoint" and not self._find_model(value):
                return crashed(self._kin, "RuntimeError", f"model '{value}' not found")
        self._save(changes)
        return None

    def _interrupt(self) -> Any:
        if self.running is not None:
            self.running.interrupted = True
        return web.Response(status=204) if self._kin is Kin.SDNEXT else {}

    def _skip(self) -> Any:
        if self.running is not None:
            self.running.skipped = True
        return web.Response(status=204) if self._kin is Kin.SDNEXT else None

    def _progress(self) -> dict[str, Any]:
        running = self.running
        answer: dict[str, Any] = recording("get_progress_idle", self._kin)["body"]
        if running is None:
            return answer
        passes = running.total // max(1, running.steps)
        done = max(0.01, min(0.99, running.step / max(1, running.total)))
        answer["progress"], answer["eta_relative"] = done, 1.5
        answer["state"] |= {
            "job": "scripts_txt2img",
            "job_count": passes,
            "job_no": min(running.step // max(1, running.steps), passes - 1),
            "job_timestamp": str(self._began),
            "sampling_step": running.step % max(1, running.steps),
            "sampling_steps": running.steps,
            "interrupted": running.interrupted,
            "skipped": running.skipped,
        }
        if self._kin is Kin.SDNEXT:
            answer["id"], answer["state"]["job"] = f"{self._began:015x}", "Inference"
            answer["progress"] = round(running.step / max(1, running.total), 2)
            answer["current_image"] = encoded(other("JPEG", 64, 64, running.step)) if running.step else None
        return answer

    def _task_progress(self, question: Any) -> dict[str, Any]:
        task = question["id_task"]
        answer: dict[str, Any] = recording("internal_progress_unknown", self._kin)["body"]
        answer["id_live_preview"] = question.get("id_live_preview", -1)
        if task in self.painted:
            answer["completed"] = True
        elif task in self._waiting:
            answer |= {"queued": True, "textinfo": "In queue: 1/1"}
        elif self.running is not None and self.running.task == task:
            step = self.running.step
            answer |= {"active": True, "progress": step / max(1, self.running.total), "eta": 1.5, "textinfo": None}
            if step and question.get("live_preview", True) and question.get("id_live_preview") != step:
                picture = encoded(png(64, 64, step))
                answer |= {"live_preview": f"data:image/png;base64,{picture}", "id_live_preview": step}
        return answer

    def _sdnext_progress(self) -> dict[str, Any]:
        """Tell of whatever runs: SD.Next does not look at the task's id and never says "active"."""
        answer: dict[str, Any] = recording("internal_progress_unknown", self._kin)["body"]
        if (running := self.running) is not None:
            done = round(running.step / max(1, running.total), 2)
            answer |= {"job": "Inference", "step": running.step, "steps": running.steps, "progress": done}
            answer |= {"eta": 1.5, "id_live_preview": running.step}
        return answer

    def _pending(self) -> dict[str, Any]:
        tasks = [*self._stuck, *self._waiting]
        return {"size": len(tasks), "tasks": tasks}

    def _take_fault(self) -> Fault | None:
        if self.fault is None or self.faults == 0:
            return None
        if self.faults is not None:
            self.faults -= 1
        return self.fault
