"""A turn whose corners are cut off: nothing of outside is seen, and nothing inside is given away."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from attacks import Straighten

SIZES = [(90, 90), (80, 120), (120, 80)]


def source(attack: Straighten, height: int, width: int, x: Tensor, y: Tensor) -> Tensor:
    """Where points of the output come from, by the matrix, shape (2, ...)."""
    points = torch.stack([x, y, torch.ones_like(x)]).double()
    return torch.einsum("ij,j...->i...", torch.linalg.inv(attack.matrix(height, width)), points)[:2]


@pytest.mark.parametrize("enlarge", [False, True])
@pytest.mark.parametrize("degrees", [-30.0, 0.5, 10.0, 45.0, 90.0, 160.0])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_cut_is_the_largest_without_gaps(height: int, width: int, degrees: float, enlarge: bool) -> None:
    attack = Straighten(degrees, enlarge)
    rows, columns = attack.apply(torch.zeros(1, 1, height, width)).shape[2:]
    corners = torch.tensor([0, columns, columns, 0]).double(), torch.tensor([0, 0, rows, rows]).double()
    x, y = source(attack, height, width, *corners)
    beyond = torch.stack([-x, x - width, -y, y - height]).max()
    assert abs(float(beyond)) <= (1e-9 if enlarge else 1.0)  # sides are rounded to whole pixels
    assert rows / columns == pytest.approx(height / width, rel=0.03)
    assert ((rows, columns) == (height, width)) or not enlarge


@pytest.mark.parametrize("enlarge", [False, True])
@pytest.mark.parametrize("degrees", [-10.0, 30.0])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_pixels_go_where_the_matrix_says(height: int, width: int, degrees: float, enlarge: bool) -> None:
    attack = Straighten(degrees, enlarge)
    x, y = (torch.arange(side) + 0.5 for side in (width, height))
    ramps = torch.stack([x.expand(height, width) / width, y[:, None].expand(height, width) / height])[:, None]
    out = attack.apply(ramps)
    rows, columns = out.shape[2:]
    x, y = (torch.arange(side) + 0.5 for side in (columns, rows))
    expected = source(attack, height, width, x.expand(rows, columns), y[:, None].expand(rows, columns))
    gap = (out[:, 0] * torch.tensor([width, height])[:, None, None] - expected).abs()
    assert float(gap[:, 5:-5, 5:-5].max()) < 0.05
    assert float(attack.apply(torch.ones(1, 1, height, width))[:, :, 3:-3, 3:-3].min()) > 0.99


def test_quarter_turns_of_a_square_lose_nothing(photo: Tensor) -> None:
    square = photo[..., :128]
    assert torch.allclose(Straighten(90.0).apply(square), square.rot90(1, (2, 3)), atol=1e-4)
    assert torch.allclose(Straighten(0.0, enlarge=True).apply(square), square, atol=1e-4)
