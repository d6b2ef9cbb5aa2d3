"""What the stand-in has and is doing."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.standins.webui_faults import Fault
from tests.standins.webui_kin import LEAKY, Kin, names, recording

CANNY, DEPTH = "control_v11p_sd15_canny [d14c016b]", "control_v11f1p_sd15_depth [cfd03158]"


@dataclass
class Seen:
    """One request as it arrived; ``port`` is the client's, one for each connection."""

    method: str
    path: str
    json: Any
    headers: dict[str, str] = field(repr=False)
    port: int = 0


@dataclass
class Running:
    """The job it works on: ``total`` steps over all passes, ``steps`` in each."""

    task: str
    steps: int
    total: int
    step: int = 0
    interrupted: bool = False
    skipped: bool = False
    skips: int = 0


class State:
    """The attributes of a stand-in that its tests set and look at; see ``StandInWebUI``."""

    def __init__(self, *, ui: bool, step_s: float, kin: Kin) -> None:
        self.ui = ui
        self.step_s = step_s
        self.old = False
        self.auth: tuple[str, str] | None = None
        self.fault: Fault | None = None
        self.faults: int | None = None
        self.noise_bytes = 0
        self.loras: list[str] = ["add-detail", "watercolour"]
        self.models: list[str] = ["random15", "dreamshaper_8"]
        self.vaes: list[str] = []
        self.embeddings: list[str] = []
        self.styles: dict[str, tuple[str, str]] = {}
        self.rembg = False
        self.replay: dict[str, tuple[int, bytes]] = {}
        self.hung: tuple[str, ...] = ()
        self.seen: list[Seen] = []
        self.painted: list[str] = []
        self.running: Running | None = None
        self._waiting: list[str] = []
        self._stuck: list[str] = []
        self._began = 0
        self._become(kin)

    @property
    def kin(self) -> Kin:
        """The server it plays; another one comes with its own options, scripts and upscalers."""
        return self._kin

    @kin.setter
    def kin(self, kin: Kin) -> None:
        self._become(kin)

    def _become(self, kin: Kin) -> None:
        self._kin = kin
        self.options: dict[str, Any] = recording("get_options", kin)["body"]
        self.saved: set[str] = {"sd_model_checkpoint", "sd_checkpoint_hash"}
        self.leaked: dict[str, Any] = {}
        self.scripts: list[str] = ["controlnet"] if kin is Kin.FORGE else []
        self.controlnet_models: list[str] = [] if kin is Kin.FORGE else [CANNY, DEPTH]
        self.upscalers: list[str] = names("get_upscalers", kin)

    def has_script(self, name: str) -> bool:
        """Tell whether the always-on script ``name`` is installed, in whatever case it is written."""
        return name.casefold() in {script.casefold() for script in self.scripts}

    @property
    def model(self) -> str:
        """The model that a request without a model of its own gets."""
        return self._find_model(self.options["sd_model_checkpoint"]) or "random15"

    def _find_model(self, name: object) -> str | None:
        for item in self._models():
            file = str(item["filename"]).rpartition("/")[2]
            if name and name in {item["title"], item["model_name"], item["hash"], file}:
                return str(item["model_name"])
        return None

    def _title(self, model: str) -> str:
        return next(str(item["title"]) for item in self._models() if item["model_name"] == model)

    def _models(self) -> list[dict[str, Any]]:
        real: dict[str, Any] = recording("get_sd_models", self._kin)["body"][0]
        if self._kin is Kin.SDCPP:
            name = self.models[0]
            return [real | {"title": name, "model_name": name, "filename": f"{name}.safetensors"}]
        others = [
            real
            | {
                "title": n if self._kin is Kin.SDNEXT else f"{n}.safetensors",
                "model_name": n,
                "hash": None,
                "sha256": None,
                "filename": f"/srv/models/{n}.safetensors",
            }
            for n in self.models
            if n != real["model_name"]
        ]
        return [real, *others]

    def _override(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Set options for one request and return what they were; an unknown model changes nothing."""
        before = dict(self.options)
        for key, value in wanted.items():
            if key != "sd_model_checkpoint":
                self.options[key] = value
            elif model := self._find_model(value):
                self.options[key] = self._title(model)
        return before

    def _restore(self, wanted: dict[str, Any], before: dict[str, Any], *, restore: bool) -> None:
        for key, value in wanted.items():
            if restore and (key in self.saved or self._kin not in LEAKY):
                self.options[key] = before.get(key)
                if key not in before:
                    del self.options[key]
            elif key not in self.saved:
                self.leaked[key] = value

    def _save(self, changes: dict[str, Any]) -> None:
        """Change options for good; what leaked goes to the disk with them."""
        self.options |= changes
        self.saved |= changes.keys() | self.leaked.keys()
        self.leaked.clear()


class Queue(State):
    """One job at a time, in the order they came."""

    def __init__(self, *, ui: bool, step_s: float, kin: Kin) -> None:
        super().__init__(ui=ui, step_s=step_s, kin=kin)
        self._lock = asyncio.Lock()
        self._gone = asyncio.Event()

    async def _work(self, task: str, steps: int, passes: int, *, stall: bool) -> Running:
        running = self.running = Running(task, steps, steps * passes)
        self._began += 1
        while running.step < running.total:
            if running.interrupted or self._gone.is_set():
                break
            await asyncio.sleep(self.step_s)
            running.step += 1
            if running.skipped:
                running.step += -running.step % steps
                running.skipped, running.skips = False, running.skips + 1
        while stall and not (running.interrupted or self._gone.is_set()):  # noqa: ASYNC110 - two flags
            await asyncio.sleep(0.01)
        self.running = None
        return running
