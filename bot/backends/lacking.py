"""What a backend does not have, said in one way by all kinds."""

from bot.domain.capability import Capabilities, Feature, features
from bot.domain.errors import RejectedError
from bot.domain.request import PaintRequest
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
