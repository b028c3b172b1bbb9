"""Preset ``meta``: what Meta validates VideoSeal and its kin with."""

from __future__ import annotations

from attacks.brightness import Brightness
from attacks.chain import Chain
from attacks.codecs import RealJpeg
from attacks.contrast import Contrast
from attacks.crop import Crop
from attacks.flip import Flip
from attacks.gaussian_blur import GaussianBlur
from attacks.greyscale import Greyscale
from attacks.hue import Hue
from attacks.median_blur import MedianBlur
from attacks.presets.preset import (
    DRAWN_CORNERS,
    RANDOM_PLACE,
    RANDOM_X,
    RANDOM_Y,
    Preset,
    PresetRow,
    drawn_perspective,
    sweep,
)
from attacks.resize import Resize
from attacks.rotate import Rotate

ANGLES = (5.0, 10.0, 30.0, 45.0, 90.0)
SIZES = (0.32, 0.45, 0.55, 0.63, 0.71, 0.77, 0.84, 0.89, 0.95, 1.0)
DISTORTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
FACTORS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
HUES = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
QUALITIES = (40, 50, 60, 70, 80, 90)
KERNELS = (3, 5, 9, 13, 17)

NEAREST = "bicubic; the source takes the nearest pixel"
TRUE_MEDIAN = "the true median; the source takes the median of the rows' medians, with black around the picture"
CUT_KERNEL = "the kernel ends at 3 standard deviations; the source's at the stated size"


def _crop(side: float) -> Crop:
    return Crop(side, RANDOM_X, RANDOM_Y)


META = Preset(
    "meta",
    "facebookresearch/videoseal:videoseal/augmentation/__init__.py, get_validation_augs",
    (
        PresetRow("Identity", "Identity", Chain(()), "none"),
        PresetRow("HorizontalFlip", "HorizontalFlip", Flip("horizontal"), "none"),
        *sweep("Rotate", "degrees", ANGLES, Rotate, NEAREST),
        *sweep("Resize", "side", SIZES, lambda side: Resize(side, kernel="bilinear")),
        *sweep("Crop", "side", SIZES, _crop, RANDOM_PLACE),
        *sweep("Perspective", "distortion scale", DISTORTIONS, drawn_perspective, DRAWN_CORNERS),
        *sweep("Brightness", "factor", FACTORS, Brightness),
        *sweep("Contrast", "factor", FACTORS, Contrast),
        *sweep("Hue", "turns", HUES, Hue),
        PresetRow("Grayscale", "Grayscale", Greyscale(), "none", "in the published tables, not in that function"),
        *sweep("JPEG", "quality", QUALITIES, RealJpeg),
        *sweep("GaussianBlur", "kernel", KERNELS, GaussianBlur.of_kernel, CUT_KERNEL),
        *sweep("MedianFilter", "kernel", KERNELS, MedianBlur, TRUE_MEDIAN),
        *(
            PresetRow(
                f"JPEG_Crop_Brightness {quality} 0.71 0.5",
                "JPEG_Crop_Brightness",
                Chain((RealJpeg(quality), _crop(0.71), Brightness(0.5))),
                f"quality/side/factor {quality}/0.71/0.5",
                RANDOM_PLACE,
            )
            for quality in (40, 60, 80)
        ),
    ),
    (("H264, H264rgb, H265", "video codecs; this library attacks pictures"),),
)
