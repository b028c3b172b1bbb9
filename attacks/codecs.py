"""Real codecs through Pillow: what files go through. No gradient passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.jpeg import Subsampling
from attacks.limits import Limits, Quality

QualityFrom0 = Annotated[int, Limits(0, 100)]  # of WebP and AVIF


def through_pillow(image: Tensor, treat: Callable[[Image.Image], Image.Image]) -> Tensor:
    """Round to 8 bits and treat one image after the other.

    Args:
        image: float, clipped to [0, 1], shape (B, C, H, W), C = 1 or 3 (RGB).
        treat: gets a picture of mode L (C = 1) or RGB and gives one of the same size in any mode.

    Returns:
        Float in [0, 1] in whole grey levels, shape (B, C, H, W), without gradient.
    """
    mode = "L" if image.shape[1] == 1 else "RGB"
    pixels = (image.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    treated = [
        np.array(treat(Image.fromarray(item[:, :, 0] if mode == "L" else item)).convert(mode)).reshape(item.shape)
        for item in pixels
    ]
    return torch.from_numpy(np.stack(treated)).permute(0, 3, 1, 2).to(image) / 255


def encode(picture: Image.Image, form: str, **options: object) -> bytes:
    """The file of a picture; ``form`` and ``options`` are those of ``Image.save``."""
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def code(picture: Image.Image, form: str, **options: object) -> Image.Image:
    """Encode and decode a picture; ``form`` and ``options`` are those of ``Image.save``."""
    decoded = Image.open(BytesIO(encode(picture, form, **options)))
    decoded.load()
    return decoded


def _quality(generator: torch.Generator, level: float) -> int:
    return int(uniform(generator, 98 - 70 * level, 99))


@register("real_jpeg", family="codec", unit="quality 1 to 100", gradient="none")
@dataclass(frozen=True)
class RealJpeg(Attack):
    """JPEG of libjpeg at ``quality``; luma images are coded as greyscale JPEG. ``Jpeg`` is its surrogate."""

    quality: Quality = 50
    subsampling: Subsampling = "4:2:0"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(_quality(generator, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        options = {"quality": self.quality, "subsampling": self.subsampling}
        return through_pillow(image, lambda picture: code(picture, "JPEG", **options))


@register("webp", family="codec", unit="quality 0 to 100", gradient="none")
@dataclass(frozen=True)
class WebP(Attack):
    """Lossy WebP of libwebp at ``quality``."""

    quality: QualityFrom0 = 50

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(_quality(generator, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return through_pillow(image, lambda picture: code(picture.convert("RGB"), "WEBP", quality=self.quality))


@register("avif", family="codec", unit="quality 0 to 100", gradient="none")
@dataclass(frozen=True)
class Avif(Attack):
    """AVIF of libavif at ``quality``, colour at half resolution (4:2:0), on one thread: more would cut other tiles."""

    quality: QualityFrom0 = 50

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(_quality(generator, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        options = {"quality": self.quality, "max_threads": 1}
        return through_pillow(image, lambda picture: code(picture.convert("RGB"), "AVIF", **options))
