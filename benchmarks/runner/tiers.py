"""How much is measured: a quick gate, the comparison of methods, that at equal quality, what a forensic reader asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

import torch

from attacks import (
    Attack,
    Avif,
    Brightness,
    Chain,
    Contrast,
    Crop,
    CutOut,
    Flip,
    Gamma,
    GaussianBlur,
    GaussianNoise,
    InformedAttack,
    MedianBlur,
    NonLocalMeans,
    OverlayText,
    Perspective,
    PrintScan,
    RealJpeg,
    Resize,
    Rotate,
    Screenshot,
    WebP,
)
from attacks.presets import Preset
from benchmarks.grid import ENVELOPE
from benchmarks.runner.settings import IDENTITY, Setting

Kind = Literal["marked", "unmarked", "wrong_key", "other_method", "constant", "random", "double", "average", "copy"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Tier:
    """What a run of a name does.

    Attributes:
        name: as the command line spells it.
        settings: attacks that marked pictures meet.
        null_settings: attacks that pictures meet before they are read for a mark that is not there.
        kinds: what is read besides marked pictures.
        repeats: keys and messages each picture is marked with.
        strangers: further keys under which a picture is read that holds no mark of theirs, the same for all pictures;
            where keys do not matter, and a message must be claimed, that many claims.
        methods: the methods measured where none are asked for; all known ones if ``None``.
        megapixels: larger pictures are refused.
    """

    name: str
    settings: tuple[Setting, ...]
    null_settings: tuple[Setting, ...] = ()
    kinds: tuple[Kind, ...] = ("marked",)
    repeats: int = 1
    strangers: int = 0
    methods: tuple[str, ...] | None = None
    megapixels: float = 2.0

    @classmethod
    def of_preset(cls, preset: Preset) -> Self:
        """The grid of a published benchmark and no attack; rows that are the same attack are one setting."""
        settings = {IDENTITY.id: IDENTITY}
        for row in preset.rows:
            setting = Setting(row.attack)
            setting = settings.get(setting.id, setting)
            settings[setting.id] = replace(setting, published=(*setting.published, row))
        return cls(preset.name, tuple(settings.values()))


def _settings(*attacks: Attack) -> tuple[Setting, ...]:
    return tuple(Setting(attack) for attack in attacks)


SMOKE = Tier(
    "smoke",
    (
        IDENTITY,
        *_settings(
            RealJpeg(50),
            RealJpeg(30),
            WebP(50),
            Resize(0.5),
            Crop(0.71, 0.1, 0.2),
            Crop(0.5),
            Rotate(5.0),
            Flip("horizontal"),
            GaussianNoise(0.04),
            GaussianBlur.of_kernel(17),
            Screenshot(),
        ),
    ),
    null_settings=(IDENTITY, *_settings(RealJpeg(50))),
    kinds=("marked", "unmarked", "wrong_key"),
    repeats=2,
    strangers=1,
    methods=("watermark-toolkit",),
)
CORE = Tier(
    "core",
    (
        *(Setting(attack) for row in ENVELOPE for attack in row.attacks if not isinstance(attack, InformedAttack)),
        *_settings(
            RealJpeg(50, "4:4:4"),
            Gamma(0.6),
            MedianBlur(5),
            CutOut(0.25),
            OverlayText(size=0.1),
            NonLocalMeans(),
            Perspective((0.04, 0.02), (-0.02, 0.04), (-0.03, -0.02), (0.02, -0.03)),
        ),
    ),
)
EQUAL = Tier(
    "equal",
    (
        IDENTITY,
        *_settings(
            RealJpeg(70),
            RealJpeg(50),
            RealJpeg(30),
            WebP(50),
            Resize(0.5),
            Crop(0.71, 0.1, 0.2),
            Crop(0.5),
            Crop(0.316),
            Rotate(5.0),
            Rotate(30.0),
            Perspective.of_distortion(0.5, torch.Generator().manual_seed(1)),
            Flip("horizontal"),
            GaussianNoise(0.04),
            GaussianBlur.of_kernel(17),
            Brightness(1.5),
            Brightness(2.0),
            Contrast(0.5),
            CutOut(0.25),
            NonLocalMeans(),
            Screenshot(),
            PrintScan(),
        ),
    ),
)
_FORENSIC = (
    IDENTITY,
    *_settings(
        RealJpeg(50),
        Resize(0.5),
        Crop(0.71, 0.1, 0.2),
        Rotate(5.0),
        GaussianNoise(0.04),
        Chain((RealJpeg(60), Crop(0.71), Flip("horizontal"))),
        Avif(40),
    ),
)
FORENSIC = Tier("forensic", _FORENSIC, _FORENSIC, KINDS, strangers=4)
TIERS = {tier.name: tier for tier in (SMOKE, CORE, EQUAL, FORENSIC)}
