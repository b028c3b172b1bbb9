"""What is painted over the picture, and what is left of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import draw
from torch import Tensor

from attacks import Attack, Border, Collage, CutOut, OverlayLogo, OverlayText

PLACES = st.floats(0, 1)
SIDES = st.integers(1, 40)


def covered(attack: Attack, height: int, width: int) -> Tensor:
    """Where something shows of what is painted over black or over white, bool, shape (height, width)."""
    black, white = torch.zeros(1, 1, height, width), torch.ones(1, 1, height, width)
    return ((attack.apply(black) > 0) | (attack.apply(white) < 1))[0, 0]


def box(mask: Tensor) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what is set."""
    rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


@pytest.mark.parametrize("attack", [Border(), Collage(), CutOut(), OverlayLogo(), OverlayText()], ids=repr)
def test_identities(attack: Attack, photo: Tensor) -> None:
    assert torch.equal(attack.apply(photo), photo)
    assert torch.equal(attack.apply(photo[:, :1]), photo[:, :1])


@pytest.mark.parametrize("attack", [OverlayLogo(0.5, opacity=0.0), OverlayText(size=0.3, opacity=0.0)], ids=repr)
def test_what_is_transparent_does_not_show(attack: Attack, photo: Tensor) -> None:
    assert torch.equal(attack.apply(photo), photo)


@settings(deadline=None)
@given(SIDES, SIDES, st.floats(0, 1), PLACES, PLACES)
def test_a_cut_out_has_its_area(height: int, width: int, area: float, x: float, y: float) -> None:
    mask = covered(CutOut(area, x, y, value=0.5), height, width)
    rows, columns = height * math.sqrt(area), width * math.sqrt(area)
    if not mask.any():
        assert min(rows, columns) <= 0.5
        return
    top, left, bottom, right = box(mask)
    assert int(mask.sum()) == (bottom - top) * (right - left)
    assert bottom - top == pytest.approx(rows, abs=0.5)
    assert right - left == pytest.approx(columns, abs=0.5)


def test_a_cut_out_lies_where_it_is_told(photo: Tensor) -> None:
    out = CutOut(0.25, 1.0, 0.0, value=0.3).apply(photo)
    assert torch.equal(out[..., :64, 80:], torch.full((1, 3, 64, 80), 0.3))
    assert torch.equal(out[..., :80], photo[..., :80])
    assert torch.equal(out[..., 64:, :], photo[..., 64:, :])


@settings(deadline=None)
@given(SIDES, SIDES, st.floats(0, 0.5))
def test_a_border_leaves_the_inside(height: int, width: int, share: float) -> None:
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    out = Border(share, value=1.0).apply(image)
    inside = out < 1  # no draw is
    assert torch.equal(out[inside], image[inside])
    rows, columns = (max(0, side - 2 * round(side * share)) for side in (height, width))
    assert int(inside.sum()) == 3 * rows * columns
    assert torch.equal(inside, inside.flip(2, 3))


@settings(deadline=None)
@given(st.integers(16, 60), st.integers(16, 60), st.floats(0.2, 1), PLACES, PLACES)
def test_a_logo_stays_in_the_picture(height: int, width: int, side: float, x: float, y: float) -> None:
    mask = covered(OverlayLogo(side, x, y), height, width)
    pixels = round(side * min(height, width))
    top, left, bottom, right = box(mask)
    assert (bottom - top, right - left) == (pixels, pixels)
    assert top == pytest.approx((height - pixels) * y, abs=0.5)
    assert left == pytest.approx((width - pixels) * x, abs=0.5)


def test_a_logo_is_a_disc_in_a_ring() -> None:
    """Against scikit-image's hard-edged discs, but for the pixels of the edges."""
    grey = torch.full((1, 1, 120, 120), 0.25)
    out = OverlayLogo(100 / 120).apply(grey)[0, 0].numpy()
    expected = np.full((120, 120), 0.25)
    for radius, value in ((50, 0.0), (40, 0.25), (30, 1.0)):
        expected[draw.disk((59.5, 59.5), radius)] = value
    distance = np.hypot(*(np.mgrid[:120, :120] - 59.5))
    edge = np.min([np.abs(distance - radius) for radius in (50, 40, 30)], axis=0) < 0.75
    assert np.abs(out - expected)[~edge].max() < 1e-6
    assert 0.05 < edge.mean() < 0.12


@pytest.mark.parametrize("text", ["SAMPLE", "gypsy", "é"])
def test_text_reaches_the_corner_it_is_set_in(text: str) -> None:
    height, width = 90, 200
    corners = [box(covered(OverlayText(text, 0.3, x, y), height, width)) for x, y in ((0, 0), (1, 1))]
    assert corners[0][:2] == pytest.approx((0, 0), abs=1)
    assert corners[1][2:] == pytest.approx((height, width), abs=1)
    assert [end - start for start, end in zip(corners[0][:2], corners[0][2:], strict=True)] == pytest.approx(
        [end - start for start, end in zip(corners[1][:2], corners[1][2:], strict=True)], abs=1
    )


def test_text_is_as_large_as_asked() -> None:
    """Capitals are .6 to .8 of the size in any common font."""
    for size in (0.1, 0.2, 0.4):
        top, _, bottom, _ = box(covered(OverlayText("H", size), 200, 300))
        assert 0.6 * 200 * size - 1 < bottom - top < 0.8 * 200 * size + 1


def test_text_is_cut_off_evenly() -> None:
    start, middle, end = (box(covered(OverlayText("H" * 12, 0.9, x), 40, 60))[1::2] for x in (0.0, 0.5, 1.0))
    assert start[0] <= 5  # the font's space before a letter: letters are 36 pixels high
    assert end[1] >= 55
    assert sum(middle) == pytest.approx(60, abs=1)


def test_different_texts_differ_and_the_short_side_sets_the_size() -> None:
    assert not torch.equal(covered(OverlayText("A", 0.5), 40, 40), covered(OverlayText("B", 0.5), 40, 40))
    wide, tall = (box(covered(OverlayText("H", 0.5), *size)) for size in ((40, 80), (80, 40)))
    assert (wide[2] - wide[0], wide[3] - wide[1]) == (tall[2] - tall[0], tall[3] - tall[1])


def test_text_is_mixed_in_as_pillow_does(photo: Tensor) -> None:
    text = OverlayText("SAMPLE", 0.2, 0.3, 0.8, opacity=0.6)
    mask = OverlayText("SAMPLE", 0.2, 0.3, 0.8).apply(torch.zeros(1, 1, *photo.shape[2:]))[0, 0]
    under = Image.fromarray((photo[0].permute(1, 2, 0) * 255).round().byte().numpy())
    alpha = Image.fromarray((mask * 0.6 * 255).round().byte().numpy())
    expected = np.asarray(Image.composite(Image.new("RGB", under.size, "white"), under, alpha), dtype=np.float64)
    assert np.abs(text.apply(photo)[0].permute(1, 2, 0).numpy() * 255 - expected).max() < 1.01
    assert 0.01 < float(mask.mean()) < 0.2


@pytest.mark.parametrize(
    "attack", [CutOut(0.3, 0.1, 0.6), Border(0.1, 0.5), OverlayLogo(0.6, 0.2), OverlayText("X", 0.7)], ids=repr
)
def test_the_gradient_is_that_of_what_is_left(attack: Attack) -> None:
    image = torch.rand(1, 1, 30, 40, generator=torch.Generator().manual_seed(0)).requires_grad_()
    attack.apply(image).sum().backward()
    assert image.grad is not None
    mask = covered(attack, 30, 40)
    assert torch.equal(image.grad[0, 0][~mask], torch.ones(int((~mask).sum())))
    assert float(image.grad[0, 0][mask].max()) < 1
    assert mask.any()


@settings(deadline=None)
@given(SIDES, SIDES, st.floats(0.1, 1), PLACES, PLACES)
def test_a_collage_holds_the_picture_where_the_matrix_says(
    height: int, width: int, scale: float, x: float, y: float
) -> None:
    image = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    attack = Collage(scale, x, y, seed=1)
    out = attack.apply(image)
    assert out.shape[2] == pytest.approx(height / scale, abs=0.5)
    assert out.shape[3] == pytest.approx(width / scale, abs=0.5)
    matrix = attack.matrix(height, width)
    left, top = (int(value) for value in matrix[:2, 2])
    assert left == pytest.approx((out.shape[3] - width) * x, abs=0.5)
    assert top == pytest.approx((out.shape[2] - height) * y, abs=0.5)
    assert torch.equal(matrix[:2, :2], torch.eye(2, dtype=torch.float64))
    assert torch.equal(out[:, :, top : top + height, left : left + width], image)


def test_a_collage_is_smooth_coloured_and_of_its_seed(photo: Tensor) -> None:
    batch = photo.expand(2, -1, -1, -1)
    out = Collage(0.5, 0.0, 0.0, seed=8).apply(batch)
    outside = out[..., 128:, :]
    assert torch.equal(Collage(0.5, 0.0, 0.0, seed=8).apply(1 - batch)[..., 128:, :], outside)
    assert not torch.equal(outside[0], outside[1])
    assert float(outside.diff(dim=3).abs().max()) < 6 / 320 + 1e-6  # six patches across, a step of 1 at most
    assert float(outside.std(dim=(2, 3)).min()) > 0.1
