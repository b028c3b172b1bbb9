"""Codecs of real files."""

from __future__ import annotations

from io import BytesIO
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from attacks import Attack, Avif, Jpeg2000, PalettePng, RealJpeg, WebP

CODECS: list[type[RealJpeg | WebP | Avif]] = [RealJpeg, WebP, Avif]


def psnr(first: Tensor, second: Tensor) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(-10 * torch.log10((first - second).square().mean()))


def levels(image: Tensor) -> np.ndarray:
    """The first image in whole grey levels, shape (H, W, 3)."""
    pixels: np.ndarray = (image[0].permute(1, 2, 0) * 255).round().byte().numpy()
    return pixels


def picture(image: Tensor) -> Image.Image:
    """The first image as Pillow's."""
    return Image.fromarray(levels(image))


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


@pytest.mark.parametrize("attack", [*(codec(80) for codec in CODECS), Jpeg2000(8.0), PalettePng(64)], ids=repr)
@pytest.mark.parametrize("size", [(1, 1), (17, 23), (64, 31)])
def test_any_size(attack: Attack, size: tuple[int, int]) -> None:
    for channels in (1, 3):
        image = torch.full((2, channels, *size), 0.5)
        out = attack.apply(image)
        assert out.shape == image.shape
        assert float((out - image).abs().max()) < 4 / 255


@pytest.mark.parametrize(
    "attack",
    [
        RealJpeg(60), RealJpeg(60, "4:4:4"), RealJpeg(60, "4:2:2"), WebP(60), Avif(60), Jpeg2000(30.0),
        PalettePng(16), PalettePng(16, dither=False),
    ],
    ids=repr,
)  # fmt: skip
def test_output_is_whole_levels_item_by_item(attack: Attack, photo: Tensor) -> None:
    batch = torch.cat([photo, photo.flip(3)]).requires_grad_()
    out = attack.apply(batch)
    assert not out.requires_grad
    assert float((out * 255 - (out * 255).round()).abs().max()) < 1e-3
    assert torch.equal(out[1:], attack.apply(batch[1:]))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_jpeg_is_pillows(subsampling: Literal["4:4:4", "4:2:2", "4:2:0"], odd_photo: Tensor) -> None:
    buffer = BytesIO()
    picture(odd_photo).save(buffer, "JPEG", quality=42, subsampling=subsampling)
    with Image.open(buffer) as opened:
        expected = np.array(opened)
    assert np.array_equal(levels(RealJpeg(42, subsampling).apply(odd_photo)), expected)


def test_jpeg2000_is_pillows(odd_photo: Tensor) -> None:
    buffer = BytesIO()
    picture(odd_photo).save(buffer, "JPEG2000", quality_mode="rates", quality_layers=[12], irreversible=True)
    with Image.open(buffer) as opened:
        expected = np.array(opened)
    assert np.array_equal(levels(Jpeg2000(12.0).apply(odd_photo)), expected)


def test_jpeg2000_loses_by_its_ratio(photo: Tensor) -> None:
    losses = [psnr(Jpeg2000(ratio).apply(photo), photo) for ratio in (60.0, 20.0, 5.0, 1.0)]
    assert losses == sorted(losses)
    assert losses[0] > 20
    assert losses[-1] > 45  # only rounding is left


@pytest.mark.parametrize("dither", [False, True])
@pytest.mark.parametrize("colours", [2, 16, 256])
def test_a_palette_has_so_many_colours(colours: int, dither: bool, photo: Tensor) -> None:
    for image in (photo, photo[:, :1]):
        out = levels(PalettePng(colours, dither).apply(image))
        assert len(np.unique(out.reshape(-1, out.shape[2]), axis=0)) <= colours
        assert psnr(PalettePng(colours, dither).apply(image), image) > {2: 8, 16: 18, 256: 32}[colours]


def test_without_dither_every_pixel_gets_the_nearest_colour(odd_photo: Tensor) -> None:
    """The palette is Pillow's; which entry a pixel gets is computed here."""
    palette = picture(odd_photo).quantize(12, Image.Quantize.MEDIANCUT).getpalette()
    assert palette is not None
    colours = np.array(palette).reshape(-1, 3)
    pixels = levels(odd_photo).astype(int)
    nearest = ((pixels[:, :, None] - colours) ** 2).sum(axis=-1).min(axis=-1)
    ours = levels(PalettePng(12, dither=False).apply(odd_photo)).astype(int)
    assert np.array_equal(((pixels - ours) ** 2).sum(axis=-1), nearest)


def test_dither_keeps_the_mean_of_a_ramp() -> None:
    """The ramp gets four greys, 32 columns each: without dither, halves of such a band are off its mean."""
    ramp = (torch.arange(128) / 127).expand(64, 128)[None, None].clone()
    off = {
        dither: (PalettePng(4, dither).apply(ramp) - ramp)[0, 0, :, 16:-16].reshape(64, 6, 16).mean(dim=(0, 2))
        for dither in (False, True)
    }
    assert float(off[True].abs().max()) < 0.3 * float(off[False].abs().min())


def test_subsampling_blurs_colour() -> None:
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :, ::2] = 1
    image[:, 2, :, 1::2] = 1
    assert psnr(RealJpeg(95, "4:4:4").apply(image), image) > psnr(RealJpeg(95, "4:2:0").apply(image), image) + 6


def test_values_are_rounded_not_cut() -> None:
    """An encoder that cut would turn 127.6 into 127."""
    image = torch.full((1, 1, 8, 8), 127.6 / 255)
    assert float(RealJpeg(100).apply(image).mean()) * 255 == pytest.approx(128, abs=1e-3)


def test_avif_is_coded_on_one_thread(monkeypatch: pytest.MonkeyPatch, photo: Tensor) -> None:
    """Or its tiles, and so its pixels, would depend on the machine's cores."""
    threads: list[object] = []
    save = Image.Image.save

    def spied(self: Image.Image, *given: object, **options: object) -> None:
        threads.append(options.get("max_threads"))
        save(self, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "save", spied)
    Avif(50).apply(photo)
    assert threads == [1]
