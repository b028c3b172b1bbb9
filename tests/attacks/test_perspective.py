"""Perspective against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from attacks import Perspective

SEEN = Perspective((0.12, 0.05), (-0.2, 0.1), (-0.03, -0.15), (0.07, -0.02))


def generator(seed: int) -> torch.Generator:
    """A generator with that seed."""
    return torch.Generator().manual_seed(seed)


def offsets(attack: Perspective) -> np.ndarray:
    """Of the corners clockwise from the top left, shape (4, 2)."""
    return np.array([attack.top_left, attack.top_right, attack.bottom_right, attack.bottom_left])


def test_the_matrix_is_opencvs() -> None:
    corners = np.array([[0, 0], [160, 0], [160, 128], [0, 128]], dtype=np.float32)
    moved = (corners + offsets(SEEN) * (160, 128)).astype(np.float32)
    assert np.allclose(SEEN.matrix(128, 160).numpy(), cv2.getPerspectiveTransform(corners, moved), atol=1e-4)


def test_the_picture_is_opencvs(photo: Tensor) -> None:
    """OpenCV's coordinates put 0 at the centre of the first pixel; both kernels are the cubic of -0.75."""
    to_edge = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(to_edge) @ SEEN.matrix(128, 160).numpy() @ to_edge
    picture = photo[0].permute(1, 2, 0).numpy()
    expected = cv2.warpPerspective(picture, centred, (160, 128), flags=cv2.INTER_CUBIC).clip(0, 1)
    ours = SEEN.apply(photo)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - expected).mean() < 3e-3  # OpenCV may round coordinates to 1/32 pixel
    assert np.corrcoef(ours.ravel(), expected.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("scale", [0.0, 0.1, 0.5, 1.0])
def test_a_distortion_moves_corners_inwards_by_half_of_it_at_most(scale: float) -> None:
    draws = np.stack([offsets(Perspective.of_distortion(scale, generator(seed))) for seed in range(200)])
    inwards = draws * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    assert inwards.min() >= 0
    assert inwards.max() <= scale / 2
    if 0 < scale < 2 / 3:  # none is drawn again
        assert np.allclose(inwards.mean(axis=0), scale / 4, atol=4 * scale / 2 / np.sqrt(12 * 200))
        assert inwards.max() > 0.97 * scale / 2


@pytest.mark.parametrize(
    "corners",
    [
        {"top_left": (0.6, 0.6)},
        {"top_left": (1.0, 0.0), "top_right": (-1.0, 0.0), "bottom_right": (-1.0, 0.0), "bottom_left": (1.0, 0.0)},
        {"top_left": (1.0, 0.0), "top_right": (-1.0, 0.0)},
        {"top_left": (0.5, 0.5)},
    ],
    ids=["dent", "mirrored", "crossed", "flat"],
)
def test_what_no_camera_sees_is_refused(corners: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="convex"):
        Perspective(**corners)


def test_the_horizon_is_black() -> None:
    """The sides meet in row 7.5 of 24, the centre of a pixel: its third coordinate is 0."""
    steep = Perspective((0.4, 0.45), (-0.4, 0.45))
    horizon = torch.linalg.inv(steep.matrix(24, 24)) @ torch.tensor([10.5, 7.5, 1], dtype=torch.float64)
    assert abs(float(horizon[2])) < 1e-9
    out = steep.apply(torch.ones(1, 1, 24, 24))
    assert float(out[..., :10, :].max()) == 0
    assert float(out[..., 20:22, 8:16].min()) > 0.99
