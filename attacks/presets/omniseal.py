"""Preset ``omniseal``: OmniSealBench, with VideoSeal's numbers, in part in other units."""

from __future__ import annotations

import math

from attacks.brightness import Brightness
from attacks.chain import Chain
from attacks.codecs import RealJpeg
from attacks.collage import Collage
from attacks.contrast import Contrast
from attacks.crop import Crop
from attacks.flip import Flip
from attacks.gaussian_blur import GaussianBlur
from attacks.hue import Hue
from attacks.median_blur import MedianBlur
from attacks.overlay_text import OverlayText
from attacks.presets.meta import (
    ANGLES,
    CUT_KERNEL,
    DISTORTIONS,
    FACTORS,
    HUES,
    KERNELS,
    NEAREST,
    QUALITIES,
    SIZES,
    TRUE_MEDIAN,
)
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
from attacks.saturation import Saturation
from attacks.sharpen import Sharpen

_AREAS = (0.05, 0.1, 0.2, 0.5, 1.0)
_SMOOTH = math.sqrt(6 / 13)  # standard deviation on each axis of PIL's SMOOTH kernel, 3 x 3 ones with 5 in the middle


def _collage(area: float) -> Chain:
    return Chain((Crop.of_area(area, RANDOM_X, RANDOM_Y), Collage(math.sqrt(area), RANDOM_X, RANDOM_Y)))


OMNISEAL = Preset(
    "omniseal",
    "facebookresearch/omnisealbench:src/omnisealbench/attacks/image_attacks.yaml",
    (
        *sweep(
            "collage",
            "area",
            _AREAS,
            _collage,
            "around the part lie smooth colours, not a photograph; it has the picture's shape, not a random one, and "
            "lies halfway to the lower left corner; rounding may change the size by 1 / side pixels",
        ),
        *sweep("center_crop", "area", _AREAS, Crop.of_area),
        *sweep("rotate", "degrees", ANGLES, Rotate, NEAREST),
        *sweep("jpeg", "quality", QUALITIES, RealJpeg),
        *sweep("brightness", "factor", FACTORS, Brightness),
        *sweep("contrast", "factor", FACTORS, Contrast),
        *sweep("saturation", "factor", FACTORS, Saturation),
        *sweep(
            "sharpness",
            "factor",
            FACTORS,
            lambda factor: Sharpen(factor - 1, _SMOOTH),
            "a Gaussian of the same variance for the source's 3 x 3 kernel; the source leaves the outermost pixels",
        ),
        *sweep("resize", "area", SIZES, lambda area: Resize(math.sqrt(area), kernel="bilinear")),
        PresetRow(
            "overlay_text",
            "overlay_text",
            OverlayText("Lorem Ipsum", size=0.15, x=0.0, y=0.5),
            "font size/x/y 0.15/0/0.5",
            "white, in Pillow's font, centred in height; the source's is red, in AugLy's, its top at half the height",
        ),
        PresetRow("hflip", "hflip", Flip("horizontal"), "none"),
        *sweep("perspective", "distortion scale", DISTORTIONS, drawn_perspective, DRAWN_CORNERS),
        *sweep("median_filter", "kernel", KERNELS, MedianBlur, TRUE_MEDIAN),
        *sweep("hue", "turns", HUES, Hue),
        *sweep("gaussian_blur", "kernel", KERNELS, GaussianBlur.of_kernel, CUT_KERNEL),
        PresetRow(
            "comb",
            "comb",
            Chain((Crop(0.5, RANDOM_X, RANDOM_Y), Brightness(1.5), RealJpeg(80))),
            "side/factor/quality 0.5/1.5/80",
            f"the source's class is named JPEG_Crop_Brightness, but this is its order; {RANDOM_PLACE}",
        ),
    ),
    (
        (
            "proportion, area 0.05, 0.1, 0.2, 0.5, 1",
            "puts the unmarked original around the marked part: no attacker has it",
        ),
    ),
)
