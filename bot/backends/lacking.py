"""What a backend does not have, said in one way by all kinds."""

from collections.abc import Callable

from bot.domain.capability import Capabilities, Feature, features
from bot.domain.errors import RejectedError
from bot.domain.ports import Painted, Progress, unheard
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.domain.text import N_


def refusal(backend: str, feature: Feature) -> RejectedError:
    """Return the words for a backend that lacks ``feature``."""
    return RejectedError(
        N_("{backend} does not have {feature}."),
        N_("Leave it out and ask again."),
        backend=backend,
        feature=feature.value,
    )


def check(backend: str, request: PaintRequest, capabilities: Capabilities) -> None:
    """Raise ``RejectedError`` if ``request`` needs a feature that the backend does not have."""
    missing = sorted(features(request) - capabilities.features)
    if missing:
        raise refusal(backend, missing[0])


class PaintsOnly:
    """The parts of ``Backend`` beside painting, refused: a kind that has one of them says how."""

    name: str

    # The arguments are the protocol's: who refuses needs none of them.
    async def upscale(
        self,
        request: UpscaleRequest,  # noqa: ARG002
        picture: bytes,  # noqa: ARG002
        *,
        task: str,  # noqa: ARG002
        on_progress: Callable[[Progress], None] = unheard,  # noqa: ARG002
    ) -> Painted:
        """Refuse: there is no upscaler."""
        raise refusal(self.name, Feature.UPSCALE)

    async def interrogate(self, picture: bytes, model: str | None = None) -> str:  # noqa: ARG002
        """Refuse: there is no interrogator."""
        raise refusal(self.name, Feature.INTERROGATE)

    async def cut_out(self, picture: bytes, model: str | None = None) -> Painted:  # noqa: ARG002
        """Refuse: there is no cutter."""
        raise refusal(self.name, Feature.CUTOUT)
