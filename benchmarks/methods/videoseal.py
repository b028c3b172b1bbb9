"""VideoSeal (Meta; Fernandez et al. 2024, arXiv:2412.09492) of the package ``videoseal``, on still pictures.

**Untested**: written after the repository's README and inference scripts; its weights, which it fetches at first use,
could not be had. It reads 256 bits from every picture, so presence is tested against a claimed message
(:mod:`.claims`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from benchmarks.methods.base import Bits, MethodMissing, Pixels, Reading, gain, required, scaled
from benchmarks.methods.claims import compared


@dataclass(frozen=True)
class VideoSeal:
    """The model card ``videoseal``; another strength scales its residual.

    Attributes:
        strength: nominal PSNR in dB; the model's own, about 44.4, if ``None``.

    Raises:
        MethodMissing: the package is not installed.
    """

    strength: float | None = None

    name: ClassVar[str] = "videoseal"
    licence: ClassVar[str] = "MIT"
    note: ClassVar[str] = "no error-correcting code, no key; presence by a claimed message; adapter untested"
    message_bits: ClassVar[int] = 256
    smallest_side: ClassVar[int] = 64
    keyed: ClassVar[bool] = False
    blind: ClassVar[bool] = False

    def __post_init__(self) -> None:
        required(
            "videoseal", self.name, "install facebookresearch/videoseal from its repository; it fetches its weights"
        )

    @property
    def version(self) -> str:
        """Of the package."""
        return version("videoseal")

    def with_strength(self, db: float | None) -> Self:  # noqa: D102
        return replace(self, strength=db)

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:  # noqa: D102
        messages = torch.from_numpy(message.astype(np.float32))[None]
        marked = _model().embed(_tensor(image), msgs=messages, is_video=False)["imgs_w"][0]
        pixels = (marked.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        return scaled(image, pixels, gain(self.strength, native=44.4))

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:  # noqa: D102
        answers = _model().detect(_tensor(image), is_video=False)["preds"][0, 1:]  # the first is no message bit
        return compared((answers > 0).numpy().astype(np.uint8), claimed)


def _tensor(image: Pixels) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255


@lru_cache(maxsize=1)
def _model() -> Any:
    import videoseal

    try:
        return videoseal.load("videoseal").eval()
    except OSError as error:
        raise MethodMissing(f"videoseal has no weights ({error}); let it fetch them once with a network") from error
