"""Codecs of real files."""

from __future__ import annotations

from io import BytesIO
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from attacks import Attack, Avif, RealJpeg, WebP

CODECS: list[type[RealJpeg | WebP | Avif]] = [RealJpeg, WebP, Avif]


def psnr(first: Tensor, second: Tensor) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(-10 * torch.log10((first - second).square().mean()))


@pytest.mark.parametrize("codec", CODECS)
def test_quality_orders_the_loss(codec: type[RealJpeg | WebP | Avif], photo: Tensor) -> None:
    low, high = (psnr(codec(quality).apply(photo), photo) for quality in (30, 90))
    assert 22 < low < high - 3


@pytest.mark.parametrize("codec", CODECS)
def test_luma_images_stay_luma(codec: type[RealJpeg | WebP | Avif], odd_photo: Tensor) -> None:
    luma = odd_photo[:, 1:2]
    out = codec(90).apply(luma)
    assert out.shape == luma.shape
    assert psnr(out, luma) > 32


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(1, 1), (17, 23), (64, 31)])
def test_any_size(codec: type[RealJpeg | WebP | Avif], size: tuple[int, int]) -> None:
    for channels in (1, 3):
        image = torch.full((2, channels, *size), 0.5)
        out = codec(80).apply(image)
        assert out.shape == image.shape
        assert float((out - image).abs().max()) < 4 / 255


@pytest.mark.parametrize("attack", [RealJpeg(60), RealJpeg(60, "4:4:4"), WebP(60), Avif(60)], ids=repr)
def test_output_is_whole_levels_item_by_item(attack: Attack, photo: Tensor) -> None:
    batch = torch.cat([photo, photo.flip(3)]).requires_grad_()
    out = attack.apply(batch)
    assert not out.requires_grad
    assert float((out * 255 - (out * 255).round()).abs().max()) < 1e-3
    assert torch.equal(out[1:], attack.apply(batch[1:]))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_jpeg_is_pillows(subsampling: Literal["4:4:4", "4:2:0"], odd_photo: Tensor) -> None:
    buffer = BytesIO()
    pixels = (odd_photo[0].permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=42, subsampling=subsampling)
    with Image.open(buffer) as opened:
        expected = np.array(opened)
    ours = RealJpeg(42, subsampling).apply(odd_photo)
    assert np.array_equal((ours[0].permute(1, 2, 0) * 255).round().numpy(), expected)


def test_subsampling_blurs_colour() -> None:
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :, ::2] = 1
    image[:, 2, :, 1::2] = 1
    assert psnr(RealJpeg(95, "4:4:4").apply(image), image) > psnr(RealJpeg(95, "4:2:0").apply(image), image) + 6


def test_values_are_rounded_not_cut() -> None:
    """An encoder that cut would turn 127.6 into 127."""
    image = torch.full((1, 1, 8, 8), 127.6 / 255)
    assert float(RealJpeg(100).apply(image).mean()) * 255 == pytest.approx(128, abs=1e-3)
