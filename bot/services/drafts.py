"""An order as it stands before it is queued."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.domain.asker import Asker
from bot.domain.job import JobSpec
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.domain.text import Text
from bot.services import work_orders


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that passed every check that needs no network; its pictures may still be ``Pending``.

    ``limits`` are those of the place. ``free_size``: nobody asked for a size, so it follows the source picture.
    ``private``: only the asker sees what comes of it. ``warnings`` are what looks wrong in its prompts.
    """

    asker: Asker
    spec: JobSpec
    limits: Limits = field(default_factory=Limits)
    free_size: bool = False
    private: bool = False
    warnings: tuple[Text, ...] = ()

    def with_images(self, blobs: Mapping[str, str]) -> "Draft":
        """Return the draft with the pictures that ``blobs`` has, by what they are called now."""
        request = self.spec.request.with_images(lambda name: blobs.get(name, name))
        return replace(self, spec=replace(self.spec, request=request))

    def of_size(self, width: int, height: int) -> "Draft":
        """Return the draft at just this size in px, unless another was asked for."""
        if not self.free_size:
            return self
        request = replace(self.spec.request, width=width, height=height)
        return replace(self, spec=replace(self.spec, request=request))

    def following(self, width: int, height: int) -> "Draft":
        """Return it with the ratio of a picture of ``width``×``height`` px, with as many pixels as before."""
        request = self.spec.request
        scale = (request.width * request.height / (width * height)) ** 0.5
        longest = self.limits.max_side // 64 * 64
        sides = (min(longest, max(64, round(side * scale / 64) * 64)) for side in (width, height))
        return self.of_size(*sides)

    def working_on(self, blob: str, width: int, height: int, recipe: PaintRequest | None = None) -> "Draft":
        """Return it as work on the picture ``blob`` of ``width``×``height`` px, painted by ``recipe`` if known.

        Raises ``LimitError`` for a result that would be too large.
        """
        if self.spec.work is None:
            return self
        work = replace(self.spec.work, image=blob)
        if isinstance(work, UpscaleRequest):
            work = replace(work, width=width, height=height)
        work = work_orders.settled(work, self.limits)
        return replace(self, spec=replace(self.spec, work=work, request=recipe or self.spec.request))
