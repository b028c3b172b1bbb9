"""The quality metrics by name, with what a table must say about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.metrics.perceptual import flip, lpips
from benchmarks.metrics.quality import Image, ciede2000, local_error, ms_ssim, psnr, ssim


@dataclass(frozen=True, slots=True)
class QualityMetric:
    """A comparison of two images of one size.

    Attributes:
        title: as printed.
        measure: of reference and test, RGB, uint8, shape (H, W, 3); raises ``ValueError`` for images it cannot
            compare and :class:`~benchmarks.metrics.perceptual.MetricMissing` where a package is not installed.
        unit: of the number; empty if it has none.
        higher_is_better: direction.
    """

    title: str
    measure: Callable[[Image, Image], float]
    unit: str
    higher_is_better: bool


QUALITY: Mapping[str, QualityMetric] = MappingProxyType(
    {
        "psnr": QualityMetric("PSNR", psnr, "dB", True),
        "ssim": QualityMetric("SSIM", ssim, "", True),
        "ms_ssim": QualityMetric("MS-SSIM", ms_ssim, "", True),
        "ciede2000": QualityMetric("CIEDE2000", ciede2000, "colour difference", False),
        "flip": QualityMetric("FLIP", flip, "", False),
        "local_error": QualityMetric("largest local error", local_error, "grey levels of 255", False),
        "lpips": QualityMetric("LPIPS (AlexNet)", lpips, "", False),
    }
)
