"""Preset ``wbench``: the distortions of W-Bench (VINE)."""

from __future__ import annotations

from attacks.brightness import Brightness
from attacks.codecs import RealJpeg
from attacks.contrast import Contrast
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.presets.preset import Preset, sweep

PIL_BLUR = (
    "the radius is the standard deviation; PIL comes near a Gaussian by three box blurs and repeats the border, "
    "which is reflected here"
)
PIL_CONTRAST = "about the exact mean luma; PIL rounds it to a whole level"
_FACTORS = (1.2, 1.4, 1.6, 1.8, 2.0)
_WEIGHTS = "needs the weights of a diffusion model"

WBENCH = Preset(
    "wbench",
    "Shilin-LU/VINE:vine/w_bench_utils/distortion/distortions.py",
    (
        *sweep("brightness", "factor", _FACTORS, Brightness),
        *sweep("contrast", "factor", _FACTORS, Contrast, PIL_CONTRAST),
        *sweep("blurring", "PIL radius", (1.0, 3.0, 5.0, 7.0, 9.0), GaussianBlur, PIL_BLUR),
        *sweep(
            "noise",
            "standard deviation of values in [0, 1]",
            (0.02, 0.04, 0.06, 0.08, 0.1),
            GaussianNoise,
            "image b of a batch draws from seed b; in the source all pictures meet the same noise",
        ),
        *sweep("compression", "quality", (10, 25, 40, 55, 70), RealJpeg),
    ),
    (
        ("image regeneration, stochastic and deterministic", _WEIGHTS),
        ("global editing by instruction", _WEIGHTS),
        ("local editing by inpainting", _WEIGHTS),
        ("image to video", _WEIGHTS),
    ),
)
