"""Real codecs through Pillow: what files go through. No gradient passes."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Literal, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from attacks.base import Attack, register, uniform

Format = Literal["JPEG", "WEBP", "AVIF"]


def _code(image: Tensor, form: Format, **options: int | str) -> Tensor:
    """Round to 8 bits, encode and decode one image after the other; only JPEG knows images of one channel."""
    mode = "L" if image.shape[1] == 1 else "RGB"
    pixels = (image.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    decoded = []
    for item in pixels:
        picture = Image.fromarray(item[:, :, 0] if mode == "L" else item)
        buffer = BytesIO()
        (picture if form == "JPEG" else picture.convert("RGB")).save(buffer, form, **options)
        with Image.open(buffer) as opened:
            decoded.append(np.array(opened.convert(mode)).reshape(item.shape))
    return torch.from_numpy(np.stack(decoded)).permute(0, 3, 1, 2).to(image) / 255


def _quality(generator: torch.Generator, level: float) -> int:
    return int(uniform(generator, 98 - 70 * level, 99))


@register("real_jpeg", family="codec", unit="quality 1 to 100", gradient="none")
@dataclass(frozen=True)
class RealJpeg(Attack):
    """JPEG of libjpeg at ``quality``; luma images are coded as greyscale JPEG. ``Jpeg`` is its surrogate."""

    quality: int = 50
    subsampling: Literal["4:4:4", "4:2:0"] = "4:2:0"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(_quality(generator, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return _code(image, "JPEG", quality=self.quality, subsampling=self.subsampling)


@register("webp", family="codec", unit="quality 0 to 100", gradient="none")
@dataclass(frozen=True)
class WebP(Attack):
    """Lossy WebP of libwebp at ``quality``."""

    quality: int = 50

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(_quality(generator, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return _code(image, "WEBP", quality=self.quality)


@register("avif", family="codec", unit="quality 0 to 100", gradient="none")
@dataclass(frozen=True)
class Avif(Attack):
    """AVIF of libavif at ``quality``, colour at half resolution (4:2:0)."""

    quality: int = 50

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(_quality(generator, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return _code(image, "AVIF", quality=self.quality)
