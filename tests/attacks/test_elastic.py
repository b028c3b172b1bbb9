"""Elastic deformation against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from attacks import Elastic


def sources(attack: Elastic, height: int, width: int) -> Tensor:
    """Where each pixel of the output comes from, read off two ramps, shape (2, height, width)."""
    x, y = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    read = []
    for ramp, side in ((x.expand(height, width), width), (y[:, None].expand(height, width), height)):
        read.append(attack.apply((ramp / side)[None, None].double())[0, 0] * side)
    return torch.stack(read)


def displacements(attack: Elastic, height: int, width: int, margin: int) -> Tensor:
    """Of the pixels ``margin`` inside, in pixels, shape (2, height - 2 margin, width - 2 margin)."""
    still = sources(Elastic(), height, width)
    return (sources(attack, height, width) - still)[:, margin:-margin, margin:-margin]


@pytest.mark.parametrize("size", [(128, 160), (140, 96)])
def test_the_amplitude_bounds_the_displacement(size: tuple[int, int]) -> None:
    amplitude = 8 * min(size) / 512
    lengths = torch.stack([displacements(Elastic(8.0, seed=seed), *size, 6).norm(dim=0) for seed in range(4)])
    assert 0.9 * amplitude < float(lengths.max()) < amplitude + 0.1  # the cubic kernel bends ramps by hundredths
    assert float(lengths.mean()) > 0.2 * amplitude


def test_pictures_of_all_sizes_deform_alike() -> None:
    small, large = (displacements(Elastic(16.0, seed=2), 48 * scale, 64 * scale, 4 * scale) for scale in (2, 4))
    halved = F.avg_pool2d(large[None], 2)[0] / 2
    assert float((halved - small).norm(dim=0).mean()) < 0.05 * float(small.norm(dim=0).mean())


def test_sigma_sets_the_smoothness() -> None:
    """Noise blurred by s correlates over d pixels by exp(-(d / 2 s)^2); one picture has but few independent places."""
    for sigma, pixels in ((16.0, 8), (32.0, 16)):  # at a short side of 256 they are halved
        moves = torch.stack([displacements(Elastic(4.0, sigma, seed), 256, 256, 24) for seed in range(4)])
        first, second = moves[..., :-pixels].flatten(), moves[..., pixels:].flatten()
        correlation = float((first @ second) / (first.norm() * second.norm()))
        assert correlation == pytest.approx(np.exp(-((pixels / sigma) ** 2)), abs=0.06)


def test_the_picture_is_opencvs(photo: Tensor) -> None:
    attack = Elastic(20.0, seed=3)
    x, y = (sources(attack, 128, 160) - 0.5).float().numpy()  # OpenCV's 0 is the centre of the first pixel
    picture = photo[0].permute(1, 2, 0).numpy()
    expected = cv2.remap(picture, x, y, cv2.INTER_CUBIC).clip(0, 1)[6:-6, 6:-6]
    ours = attack.apply(photo)[0].permute(1, 2, 0).numpy()[6:-6, 6:-6]
    assert np.abs(ours - picture[6:-6, 6:-6]).mean() > 0.01
    assert np.abs(ours - expected).mean() < 3e-3  # OpenCV may round coordinates to 1/32 pixel


def test_each_image_has_its_seed(photo: Tensor) -> None:
    out = Elastic(9.0, seed=4).apply(photo.expand(2, -1, -1, -1))
    assert not torch.equal(out[0], out[1])
    for index in range(2):
        assert torch.equal(Elastic(9.0, seed=4 + index).apply(photo)[0], out[index])


def test_no_amplitude_is_the_identity(photo: Tensor) -> None:
    assert Elastic(0.0).apply(photo) is photo
