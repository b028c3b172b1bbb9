"""The attacks of the operating envelope, with the share of images each must leave readable; the targets of quality."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from attacks import (
    Attack,
    Avif,
    Brightness,
    Chain,
    Contrast,
    Crop,
    Flip,
    GaussianBlur,
    GaussianNoise,
    Greyscale,
    Hue,
    Messenger,
    Overwrite,
    Pad,
    Perspective,
    PrintScan,
    QuarterTurn,
    RealJpeg,
    Resize,
    Rotate,
    ScreenCamera,
    Screenshot,
    Shift,
    ShortSide,
    Social,
    WebP,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the envelope.

    Attributes:
        name: as printed.
        attacks: each image meets all of them; its share is over all.
        target: share of exactly recovered payloads asked for at standard robustness, 0 to 1; ``None`` if none was set.
    """

    name: str
    attacks: tuple[Attack, ...]
    target: float | None = None


QUALITY_TARGETS = {"mean_psnr_db": 46.0, "mean_jod": 9.85, "worst_jod": 9.7}
"""The least that marked photographs are to have at standard robustness: PSNR in dB, JOD of 10."""

_CORNERS = ((0.5, 0.5), (0.1, 0.2))  # a crop in the middle and one off it

ENVELOPE = (
    Row("identity", (Chain(()),), 0.99),
    Row("flip", (Flip("horizontal"), Flip("vertical")), 0.99),
    Row("quarter turns", tuple(QuarterTurn(turns) for turns in (1, 2, 3)), 0.99),
    *(Row(f"resize x {factor}", (Resize(factor),), 0.99) for factor in (0.25, 0.5, 2.0)),
    *(
        Row(f"JPEG {quality}", (RealJpeg(quality),), target)
        for quality, target in ((70, 0.99), (50, 0.995), (30, 0.98))
    ),
    Row("WebP 50", (WebP(50),), 0.98),
    Row("AVIF 40", (Avif(40),), 0.98),
    *(
        Row(f"crop, side {side} (area {side**2:.2f})", tuple(Crop(side, x, y) for x, y in _CORNERS), target)
        for side, target in ((0.84, 0.98), (0.71, 0.99), (0.5, 0.95))
    ),
    *(
        Row(f"rotate {degrees:g} degrees, corners cut", (Rotate(degrees),), target)
        for degrees, target in ((5.0, 0.99), (30.0, 0.99), (45.0, 0.99))
    ),
    *(Row(f"brightness x {factor}", (Brightness(factor),), 0.99) for factor in (0.5, 1.5)),
    *(Row(f"contrast x {factor}", (Contrast(factor),), 0.99) for factor in (0.5, 1.5)),
    Row("hue + 0.25 and + 0.5 turns", (Hue(0.25), Hue(0.5)), 0.99),
    Row("greyscale", (Greyscale(),), 0.99),
    Row("Gaussian noise, sigma 0.04", (GaussianNoise(0.04, seed=7),), 0.97),
    Row("Gaussian blur, kernel 17", (GaussianBlur.of_kernel(17),), 0.97),
    Row(
        "JPEG 60 + crop side 0.71 + brightness x 0.5",
        tuple(Chain((RealJpeg(60), Crop(0.71, x, y), Brightness(0.5))) for x, y in _CORNERS),
        0.97,
    ),
    Row("screenshot: resize x 0.6, crop 5 %, PNG, JPEG 85", (Screenshot(),), 0.99),
    Row("stretched by 15 % across or down", (Resize(1.0, aspect=1.15), Resize(1.0, aspect=0.87))),
    Row("padded by 20 % on all sides", (Pad(0.2, 0.2, 0.2, 0.2),)),
    Row("shifted by 20 % and 10 %", (Shift(0.2, 0.1),)),
    Row("flip + rotate 100 degrees", (Chain((Flip("horizontal"), Rotate(100.0))),)),
    Row(
        "rotate 20 degrees + squeeze to 0.9 + crop side 0.85, and squeeze + rotate",
        (Chain((Rotate(20.0), Resize(1.0, aspect=0.9), Crop(0.85))), Chain((Resize(1.0, aspect=0.9), Rotate(20.0)))),
    ),
    Row("crop, side 0.32 (area 0.10)", tuple(Crop(0.316, x, y) for x, y in _CORNERS), 0.60),
    *(
        Row(
            f"perspective, distortion {scale}",
            tuple(Perspective.of_distortion(scale, torch.Generator().manual_seed(seed)) for seed in (1, 2)),
            target,
        )
        for scale, target in ((0.3, 0.90), (0.5, 0.70))
    ),
    Row("rotate 100 and 135 degrees, corners cut", (Rotate(100.0), Rotate(135.0)), 0.99),
    *(Row(f"brightness x {factor}", (Brightness(factor),), 0.99) for factor in (0.25, 2.0)),
    *(Row(f"contrast x {factor}", (Contrast(factor),), 0.99) for factor in (0.25, 2.0)),
    Row("Gaussian noise, sigma 0.06", (GaussianNoise(0.06, seed=7),), 0.95),
    Row("short side 512, Gaussian blur, kernel 17", (Chain((ShortSide(512), GaussianBlur.of_kernel(17))),), 0.98),
    Row("resize to a short side of 128 pixels", (ShortSide(128),), 0.90),
    Row("social network: long side 2048, sharpened, JPEG 80", (Social(),), 0.99),
    Row("messenger: long side 1600, JPEG 70", (Messenger(),), 0.99),
    Row("print and scan (simulated)", (PrintScan(),), 0.85),
    Row("screen and camera (simulated)", (ScreenCamera(),), 0.85),
    Row("overwritten with another key", (Overwrite(),), 0.90),
)

EQUAL_BYTES = Row("AVIF in as many bytes as WebP 50", (), 0.98)
"""A row whose attack :mod:`benchmarks.equal_bytes` finds for each image; the envelope is measured without it."""
