"""Attacks on marked images: the same objects serve training and benchmark."""

from __future__ import annotations

from attacks.affine import Affine
from attacks.base import ATTACKS, Attack, Facts, register
from attacks.brightness import Brightness
from attacks.chain import Chain
from attacks.codecs import Avif, RealJpeg, WebP
from attacks.contrast import Contrast
from attacks.crop import Crop
from attacks.flip import Flip
from attacks.gamma import Gamma
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.greyscale import Greyscale
from attacks.hue import Hue
from attacks.jpeg import Jpeg
from attacks.pad import Pad
from attacks.quarter_turn import QuarterTurn
from attacks.resize import Resize
from attacks.rotate import Rotate
from attacks.rounding import Rounding
from attacks.screenshot import Screenshot
from attacks.shift import Shift

__all__ = [
    "ATTACKS",
    "Affine",
    "Attack",
    "Avif",
    "Brightness",
    "Chain",
    "Contrast",
    "Crop",
    "Facts",
    "Flip",
    "Gamma",
    "GaussianBlur",
    "GaussianNoise",
    "Greyscale",
    "Hue",
    "Jpeg",
    "Pad",
    "QuarterTurn",
    "RealJpeg",
    "Resize",
    "Rotate",
    "Rounding",
    "Screenshot",
    "Shift",
    "WebP",
    "register",
]
