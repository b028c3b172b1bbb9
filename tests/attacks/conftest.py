"""Shared pictures."""

from __future__ import annotations

import pytest
import torch
from skimage import data
from torch import Tensor


def _tensor(picture: object) -> Tensor:
    return torch.as_tensor(picture).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """A photograph in colour, shape (1, 3, 128, 160), whole grey levels."""
    return _tensor(data.astronaut()[40:168, 150:310].copy())


@pytest.fixture(scope="session")
def odd_photo() -> Tensor:
    """A photograph in colour of odd sides, shape (1, 3, 101, 67), whole grey levels."""
    return _tensor(data.coffee()[150:251, 200:267].copy())
