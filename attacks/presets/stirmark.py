"""Preset ``stirmark``: StirMark 3.1 (Petitcolas, Anderson and Kuhn 1998; Kutter and Petitcolas 1999)."""

from __future__ import annotations

import math

from attacks.affine import Affine
from attacks.chain import Chain
from attacks.codecs import RealJpeg
from attacks.crop import Crop
from attacks.flip import Flip
from attacks.gaussian_blur import GaussianBlur
from attacks.median_blur import MedianBlur
from attacks.palette_png import PalettePng
from attacks.perspective import Perspective
from attacks.presets.preset import Preset, PresetRow, sweep
from attacks.resize import Resize
from attacks.sharpen import Sharpen
from attacks.straighten import Straighten

_ANGLES = (-2.0, -1.0, -0.75, -0.5, -0.25, 2.0, 1.0, 0.75, 0.5, 0.25, 5.0, 10.0, 15.0, 30.0, 45.0, 90.0)
_ASPECTS = ((1.0, 0.8), (1.0, 0.9), (1.0, 1.1), (1.0, 1.2), (0.8, 1.0), (0.9, 1.0), (1.1, 1.0), (1.2, 1.0))
_SHEARS = ((0, 1), (0, 5), (1, 0), (5, 0), (1, 1), (5, 5))
_MATRICES = ((1.01, 0.013, 0.009, 1.011), (1.007, 0.01, 0.01, 1.012), (1.013, 0.008, 0.011, 1.008))
_RESAMPLED = "bicubic, the source's biquadratic"
_SMALLER = "bicubic and anti-aliased, the source's biquadratic and not"
_BORDERS = "borders are reflected, the source's black"
_NEAR = f"a Gaussian of the same variance for the source's 3 x 3 kernel; {_BORDERS}"


def _sheared(x_percent: int, y_percent: int) -> Chain:
    """A shear in shares of the sides is the parallelogram that ``Perspective`` makes of shifts in such shares."""
    x, y = x_percent / 200, y_percent / 200
    parallelogram = Perspective(top_left=(x, y), top_right=(x, -y), bottom_right=(-x, -y), bottom_left=(-x, y))
    return Chain((parallelogram, Crop(1 - max(x_percent, y_percent) / 100)))


def _linear(a: float, b: float, c: float, d: float) -> Affine:
    """The map (x, y) -> (a x + b y, c x + d y), y upwards: rotation by shear by scaling (QR decomposition)."""
    across = math.hypot(a, c)
    down = (a * d - b * c) / across
    shear = -(a * b + c * d) / across / down
    return Affine(math.degrees(math.atan2(c, a)), math.sqrt(across * down), down / across, shear)


_FLIP = PresetRow("flip", "flip", Flip("horizontal"), "none")
_TRANSFORMED = (
    *sweep("cropping", "per cent cut of each side", (1, 2, 5, 10, 15, 20, 25, 50, 75), lambda cut: Crop(1 - cut / 100)),
    *sweep("scale", "side", (0.5, 0.75, 0.9, 1.1, 1.5, 2.0), Resize, _SMALLER),
    *(
        PresetRow(f"ratio x {x:g} y {y:g}", "ratio", Resize(x, aspect=y / x), f"width/height {x:g}/{y:g}", _SMALLER)
        for x, y in _ASPECTS
    ),
    *sweep("rotation", "degrees", _ANGLES, Straighten, _RESAMPLED),
    *sweep("rotation_scale", "degrees", _ANGLES, lambda degrees: Straighten(degrees, enlarge=True), _RESAMPLED),
    *(
        PresetRow(
            f"shearing x {x} y {y}",
            "shearing",
            _sheared(x, y),
            f"per cent of width/height {x}/{y}",
            f"both sides are cut by the larger of the two, the source's each by its own; {_RESAMPLED}",
        )
        for x, y in _SHEARS
    ),
    *(
        PresetRow(
            f"linear {a} {b} {c} {d}",
            "linear",
            _linear(a, b, c, d),
            f"matrix {a},{b};{c},{d}",
            f"the canvas keeps its size, the source's grows by 1 to 2.5 %; {_RESAMPLED}",
        )
        for a, b, c, d in _MATRICES
    ),
    PresetRow("Gaussian filtering", "filtering", GaussianBlur(math.sqrt(1 / 2)), "kernel 1,2,1;2,4,2;1,2,1", _NEAR),
    PresetRow("Sharpening", "filtering", Sharpen(5.0, math.sqrt(2 / 5)), "kernel 0,-1,0;-1,5,-1;0,-1,0", _NEAR),
    *sweep("median_filter", "kernel", (3, 5, 7, 9), MedianBlur, _BORDERS),
)
_CODED = tuple(
    PresetRow(
        f"{row.label}, JPEG 90",
        "each but the flip, JPEG 90",
        Chain((row.attack, RealJpeg(90))),
        "quality 90",
        "differs as the row without JPEG does",
    )
    for row in _TRANSFORMED
)

STIRMARK = Preset(
    "stirmark",
    "fabienpe/StirMark:src/StirMark/bench.h and bench.c (version 3.1)",
    (
        _FLIP,
        *_TRANSFORMED,
        *_CODED,
        *sweep("JPEG", "quality", (90, 80, 70, 60, 50, 40, 35, 30, 25, 20, 15, 10), RealJpeg),
        PresetRow("reduce_colour", "reduce_colour", PalettePng(256), "colours 256"),
    ),
    (
        ("1_row_1_col_removed and 4 more, also at JPEG 90", "no attack takes single rows and columns away"),
        ("stirmark_random_bend", "no attack bends, jitters and shifts levels at once; Elastic is the nearest"),
        ("FMLR", "no attack removes a Laplacian noise by frequency (Barnett and Pearson 1998)"),
    ),
)
