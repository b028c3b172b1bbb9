"""Attacks on marked images: the same objects serve training and benchmark."""

from __future__ import annotations

from attacks.affine import Affine
from attacks.base import ATTACKS, Attack, Facts, register
from attacks.brightness import Brightness
from attacks.contrast import Contrast
from attacks.crop import Crop
from attacks.gamma import Gamma
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.greyscale import Greyscale
from attacks.hue import Hue
from attacks.jpeg import Jpeg
from attacks.resize import Resize
from attacks.rotate import Rotate
from attacks.rounding import Rounding

__all__ = [
    "ATTACKS",
    "Affine",
    "Attack",
    "Brightness",
    "Contrast",
    "Crop",
    "Facts",
    "Gamma",
    "GaussianBlur",
    "GaussianNoise",
    "Greyscale",
    "Hue",
    "Jpeg",
    "Resize",
    "Rotate",
    "Rounding",
    "register",
]
