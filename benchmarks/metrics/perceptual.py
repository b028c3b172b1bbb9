"""Perceptual differences by optional packages: FLIP, and LPIPS where its weights are.

FLIP comes with ``pip install flip-evaluator``. LPIPS needs ``lpips``, ``torchvision`` and AlexNet's ImageNet weights,
which are never fetched from here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from benchmarks.metrics.quality import Image, check_pair
from watermark.errors import WatermarkError

PIXELS_PER_DEGREE = 67.0  # FLIP's default: .7 m from a screen of 3840 pixels and .7 m
_ALEXNET = "alexnet-owt-7be5be79.pth"  # torchvision's file name


class MetricMissing(WatermarkError):
    """A metric whose package or weights are not installed."""

    exit_code = 3


def flip(reference: Image, test: Image) -> float:
    """Mean LDR-FLIP (Andersson et al. 2020) by its authors' code, 0 (equal) to 1, at 67 pixels per degree.

    What flickers when two images are swapped in place: a stricter question than whether one of them looks marked.

    Args:
        reference: RGB, uint8, shape (H, W, 3).
        test: the same.

    Raises:
        ValueError: the images are not of that form, or differ in size.
        MetricMissing: ``flip-evaluator`` is not installed.
    """
    check_pair(reference, test)
    package = _package("flip_evaluator", "FLIP", "flip-evaluator")
    before, after = (image.astype(np.float32) / 255 for image in (reference, test))
    _, mean, _ = package.evaluate(before, after, "LDR", applyMagma=False, parameters={"ppd": PIXELS_PER_DEGREE})
    return float(mean)


def lpips(reference: Image, test: Image) -> float:
    """LPIPS 0.1 on AlexNet (Zhang et al. 2018), 0 (equal) upwards; networks differ, so the name belongs to the number.

    Args:
        reference: RGB, uint8, shape (H, W, 3).
        test: the same.

    Raises:
        ValueError: the images are not of that form, or differ in size.
        MetricMissing: a package or AlexNet's weights are not there.
    """
    check_pair(reference, test)
    network = _lpips_network()
    before, after = (torch.from_numpy(image / 127.5 - 1).permute(2, 0, 1)[None].float() for image in (reference, test))
    with torch.inference_mode():
        return float(network(before, after))


@cache
def _lpips_network() -> Callable[[Tensor, Tensor], Tensor]:
    package = _package("lpips", "LPIPS", "lpips torchvision")
    weights = Path(torch.hub.get_dir()) / "checkpoints" / _ALEXNET
    if not weights.is_file():  # or lpips would fetch them
        raise MetricMissing(f"LPIPS needs torchvision's AlexNet weights; put them at {weights}")
    network: Callable[[Tensor, Tensor], Tensor] = package.LPIPS(net="alex", verbose=False)
    return network


def _package(module: str, metric: str, packages: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MetricMissing(f"{metric} needs a package that is missing: pip install {packages} ({error})") from error
