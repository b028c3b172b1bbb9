"""The JPEG surrogate against libjpeg through Pillow."""

from __future__ import annotations

from io import BytesIO
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from attacks import Jpeg, RealJpeg
from attacks.jpeg import quantisation_tables


def psnr(first: Tensor, second: Tensor) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(-10 * torch.log10((first - second).square().mean()))


@pytest.mark.parametrize("quality", [1, 10, 25, 49, 50, 51, 75, 90, 95, 99, 100])
def test_tables_are_pillows(quality: int) -> None:
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as opened:
        tables = opened.quantization  # type: ignore[attr-defined]
    for ours, index in zip(quantisation_tables(quality), (0, 1), strict=True):
        assert ours.flatten().tolist() == list(tables[index])


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [30, 50, 70, 80, 90, 95])
def test_it_is_close_to_the_real_one(
    quality: int, subsampling: Literal["4:4:4", "4:2:2", "4:2:0"], photo: Tensor, odd_photo: Tensor
) -> None:
    """The gap is about a level of 255; the surrogate does not round to whole levels, so it loses a little less."""
    for image in (photo, odd_photo):
        real = RealJpeg(quality, subsampling).apply(image)
        ours = Jpeg(quality, subsampling).apply(image)
        assert ours.shape == image.shape
        assert float((ours - real).abs().mean()) * 255 < 1.2
        assert -0.1 < psnr(ours, image) - psnr(real, image) < 0.5
        if quality <= 90:  # what JPEG itself changes is 2 to 5 levels
            assert float((ours - real).abs().mean()) < 0.5 * float((real - image).abs().mean())


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_own_tables_replace_those_of_the_quality(
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"], odd_photo: Tensor
) -> None:
    luminance = tuple(4 + 2 * (row + column) for row in range(8) for column in range(8))
    chrominance = tuple(6 + 9 * row + column for row in range(8) for column in range(8))  # not symmetric
    buffer = BytesIO()
    pixels = (odd_photo[0].permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(buffer, "JPEG", qtables=[list(luminance), list(chrominance)], subsampling=subsampling)
    with Image.open(buffer) as opened:
        real = torch.from_numpy(np.array(opened)).permute(2, 0, 1)[None] / 255
    ours = Jpeg(subsampling=subsampling, tables=(luminance, chrominance)).apply(odd_photo)
    columns_first = tuple(np.reshape(chrominance, (8, 8)).T.flatten().tolist())
    wrong = Jpeg(subsampling=subsampling, tables=(luminance, columns_first)).apply(odd_photo)
    assert float((ours - real).abs().mean()) * 255 < 1.5
    assert float((ours - real).abs().mean()) < 0.9 * float((wrong - real).abs().mean())
    assert abs(psnr(ours, odd_photo) - psnr(real, odd_photo)) < 0.3


def test_the_tables_of_a_quality_give_that_quality(photo: Tensor) -> None:
    luminance, chrominance = (tuple(map(int, table.flatten().tolist())) for table in quantisation_tables(35))
    assert torch.equal(Jpeg(90, tables=(luminance, chrominance)).apply(photo), Jpeg(35).apply(photo))


@pytest.mark.parametrize("quality", [30, 50, 90])
def test_luma_images_are_coded_as_grey(quality: int, odd_photo: Tensor) -> None:
    image = odd_photo[:, 1:2]
    gap = Jpeg(quality).apply(image) - RealJpeg(quality).apply(image)
    assert float(gap.abs().mean()) * 255 < 0.8


@pytest.mark.parametrize("grey", [0, 60, 128, 200, 255])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_grey_stays_grey(subsampling: Literal["4:4:4", "4:2:2", "4:2:0"], grey: int) -> None:
    """The neutral colour is exactly representable at every quality."""
    image = torch.full((1, 3, 17, 19), grey / 255)
    out = Jpeg(40, subsampling).apply(image)
    assert float((out - out.mean(dim=1, keepdim=True)).abs().max()) < 1e-5


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (15, 16), (17, 33)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_any_size(subsampling: Literal["4:4:4", "4:2:2", "4:2:0"], size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert Jpeg(70, subsampling).apply(image).shape == image.shape


def test_a_lower_quality_loses_more(photo: Tensor) -> None:
    losses = [float((Jpeg(quality).apply(photo) - photo).square().mean()) for quality in (95, 75, 50, 30, 10)]
    assert losses == sorted(losses)


def test_straight_through_gradients_are_those_of_no_quantisation(photo: Tensor) -> None:
    """Without quantisation 4:4:4 is the identity, so a quiet direction keeps its gradient."""
    image = (photo * 0.5 + 0.25).requires_grad_()
    weights = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    (Jpeg(90, "4:4:4").apply(image) * weights).sum().backward()
    assert image.grad is not None
    assert torch.allclose(image.grad, weights, atol=1e-3)


def test_smooth_rounding_has_exact_gradients() -> None:
    """Away from ties, where it jumps, the cubic is differentiable."""
    image = torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 0.4 + 0.3
    image.requires_grad_()
    assert torch.autograd.gradcheck(Jpeg(60, rounding="smooth").apply, image, atol=1e-5, fast_mode=True)


def test_smooth_rounding_stays_near_the_straight_through_one(photo: Tensor) -> None:
    gap = Jpeg(50, rounding="smooth").apply(photo) - Jpeg(50).apply(photo)
    assert 0 < float(gap.abs().mean()) * 255 < 2


@pytest.mark.parametrize("quality", [30, 50, 70, 80, 90])
def test_smooth_rounding_stays_near_the_real_codec(quality: int, photo: Tensor, odd_photo: Tensor) -> None:
    for image in (photo, odd_photo):
        real, smooth = RealJpeg(quality).apply(image), Jpeg(quality, rounding="smooth").apply(image)
        assert float((smooth - real).abs().mean()) * 255 < 1.4
        assert float((smooth - real).abs().mean()) < 0.4 * float((real - image).abs().mean())
        assert 0 < psnr(smooth, image) - psnr(real, image) < 1  # what the cubic leaves off its step


def test_batches_are_coded_image_by_image(photo: Tensor) -> None:
    batch = torch.cat([photo, photo.flip(3)])
    together = Jpeg(40).apply(batch)
    assert np.allclose(together[1:].numpy(), Jpeg(40).apply(batch[1:]).numpy(), atol=1e-5)
