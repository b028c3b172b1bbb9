"""Preset ``waves``: the distortions of WAVES, relative strengths made absolute.

The source gives the ends of each range and runs any strength between; steps of 0.2 are ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from attacks.affine import Affine
from attacks.base import Attack
from attacks.brightness import Brightness
from attacks.chain import Chain
from attacks.codecs import RealJpeg
from attacks.contrast import Contrast
from attacks.cut_out import CutOut
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.presets.meta import NEAREST
from attacks.presets.preset import RANDOM_PLACE, RANDOM_X, RANDOM_Y, Preset, PresetRow
from attacks.presets.wbench import PIL_BLUR, PIL_CONTRAST
from attacks.rotate import Rotate

_STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def _resized_crop(area: float) -> Affine:
    """Crop at the random place and back to size in one resampling."""
    scale = 1 / math.sqrt(area)
    return Affine(scale=scale, shift_x=(0.5 - RANDOM_X) * (scale - 1), shift_y=(0.5 - RANDOM_Y) * (scale - 1))


# Name: value at relative strengths 0 and 1, its unit, the attack, how that differs.
_SINGLES: dict[str, tuple[float, float, str, Callable[[float], Attack], str]] = {
    "rotation": (0.0, 45.0, "degrees", Rotate, NEAREST),
    "resizedcrop": (
        1.0,
        0.5,
        "area",
        _resized_crop,
        f"the crop has the picture's shape, the source's is square; bicubic, the source's bilinear; {RANDOM_PLACE}",
    ),
    "erasing": (
        0.0,
        0.25,
        "area",
        lambda area: CutOut(area, RANDOM_X, RANDOM_Y),
        f"the black part has the picture's shape, the source's is square; {RANDOM_PLACE}",
    ),
    "brightness": (1.0, 2.0, "factor", Brightness, ""),
    "contrast": (1.0, 2.0, "factor", Contrast, PIL_CONTRAST),
    "blurring": (0.0, 20.0, "PIL radius", lambda radius: GaussianBlur(float(int(radius))), PIL_BLUR),
    "noise": (0.0, 0.1, "standard deviation of values in [0, 1]", GaussianNoise, ""),
    "compression": (90.0, 10.0, "quality", lambda quality: RealJpeg(int(quality)), ""),
}
_COMBINED = {
    "combo_geometric": ("rotation", "resizedcrop", "erasing"),
    "combo_photometric": ("brightness", "contrast"),
    "combo_degradation": ("blurring", "noise", "compression"),
    "combo_all": tuple(_SINGLES),
}


def _value(name: str, strength: float) -> float:
    start, end, *_ = _SINGLES[name]
    return start + strength * (end - start)


def _single(name: str, value: float, label: str) -> PresetRow:
    _, _, unit, attack, note = _SINGLES[name]
    return PresetRow(f"{name} {label}", name, attack(value), f"{unit} {value:g}", note)


def _singles(name: str, strengths: tuple[float, ...]) -> tuple[PresetRow, ...]:
    return tuple(_single(name, _value(name, strength), f"{strength:.1f}") for strength in strengths)


def _combined(name: str, strengths: tuple[float, ...]) -> tuple[PresetRow, ...]:
    return tuple(
        PresetRow(
            f"{name} {strength}",
            name,
            Chain(tuple(_SINGLES[step][3](_value(step, strength)) for step in _COMBINED[name])),
            f"relative strength {strength:g}",
            f"{', '.join(_COMBINED[name])}, in this order, all at that strength; differs as they do",
        )
        for strength in strengths
    )


WAVES = Preset(
    "waves",
    "umd-huang-lab/WAVES:distortions/distortions.py (steps of 0.2 are ours); combinations and single settings after "
    "johnding1996/Watermark-Experiments:dev_notebooks/Distortion_Add_More.ipynb and arXiv 2401.08573",
    (
        *(_single("rotation", degrees, f"{degrees:g} degrees") for degrees in (1.0, 3.0)),
        *_singles("rotation", _STRENGTHS),
        *(_single("resizedcrop", area, f"area {area}") for area in (0.95, 0.85)),
        *(row for name in ("resizedcrop", "erasing", "brightness", "contrast") for row in _singles(name, _STRENGTHS)),
        *(row for name in ("blurring", "noise") for row in _singles(name, _STRENGTHS)),
        *_singles("compression", (0.0, *_STRENGTHS)),  # only here is strength 0 not the identity
        *(row for name in ("combo_geometric", "combo_photometric") for row in _combined(name, _STRENGTHS)),
        *_combined("combo_degradation", (0.02, *_STRENGTHS)),
        *_combined("combo_all", _STRENGTHS),
    ),
    (
        (
            "regeneration: diffusion, with prompt, rinsing",
            "needs the weights of a diffusion model; who has them takes `diffusion_regeneration`, which gives an empty "
            "prompt and rinses by `passes`",
        ),
        (
            "regeneration: VAE, KL-VAE",
            "needs the weights of CompressAI and Stable Diffusion; who has the latter takes `vae_regeneration`",
        ),
        ("adversarial embedding, 5 encoders", "needs the weights of the encoders"),
        ("adversarial surrogate detector", "needs a classifier trained for each watermark"),
    ),
)
