"""Presets: grids as published, units against the libraries that the sources use."""

from __future__ import annotations

import io
import itertools
import math
from collections import Counter

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance, ImageFilter
from skimage import data
from torch import Tensor

from attacks import Attack, Brightness, Chain, Crop, RealJpeg
from attacks.presets import PRESETS, Preset, PresetRow

FAMILIES = {
    "meta": {
        "Identity": 1, "HorizontalFlip": 1, "Rotate": 5, "Resize": 10, "Crop": 10, "Perspective": 8, "Brightness": 9,
        "Contrast": 9, "Hue": 10, "Grayscale": 1, "JPEG": 6, "GaussianBlur": 5, "MedianFilter": 5,
        "JPEG_Crop_Brightness": 3,
    },
    "omniseal": {
        "collage": 5, "center_crop": 5, "rotate": 5, "jpeg": 6, "brightness": 9, "contrast": 9, "saturation": 9,
        "sharpness": 9, "resize": 10, "overlay_text": 1, "hflip": 1, "perspective": 8, "median_filter": 5, "hue": 10,
        "gaussian_blur": 5, "comb": 1,
    },
    "wbench": {"brightness": 5, "contrast": 5, "blurring": 5, "noise": 5, "compression": 5},
    "waves": {
        "rotation": 7, "resizedcrop": 7, "erasing": 5, "brightness": 5, "contrast": 5, "blurring": 5, "noise": 5,
        "compression": 6, "combo_geometric": 5, "combo_photometric": 5, "combo_degradation": 6, "combo_all": 5,
    },
    "stirmark": {
        "flip": 1, "cropping": 9, "scale": 6, "ratio": 8, "rotation": 16, "rotation_scale": 16, "shearing": 6,
        "linear": 3, "filtering": 2, "median_filter": 4, "each but the flip, JPEG 90": 70, "JPEG": 12,
        "reduce_colour": 1,
    },
}  # fmt: skip
HEIGHT, WIDTH = 96, 128


@pytest.fixture(scope="module")
def picture() -> Tensor:
    """A photograph in colour, shape (1, 3, 96, 128), whole grey levels."""
    return tensor(Image.fromarray(data.astronaut()[40:136, 150:278]))


def pillow(image: Tensor) -> Image.Image:
    """The first image for Pillow."""
    return Image.fromarray((image[0] * 255).round().byte().permute(1, 2, 0).numpy())


def tensor(picture: Image.Image) -> Tensor:
    """What Pillow made, shape (1, 3, H, W)."""
    return torch.as_tensor(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def family(preset: str, name: str) -> list[tuple[float, Attack]]:
    """Published number and attack of each row of an operation."""
    rows = [row for row in PRESETS[preset].rows if row.family == name]
    return [(float(row.published.rpartition(" ")[2]), row.attack) for row in rows]


def levels(one: Tensor, other: Tensor) -> Tensor:
    """Differences in grey levels of 255."""
    return (one - other).abs() * 255


def filtered(image: Tensor, kernel: np.ndarray) -> Tensor:
    """The first image under a 3 x 3 kernel of OpenCV, clipped."""
    array = cv2.filter2D(image[0].permute(1, 2, 0).numpy(), -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return torch.as_tensor(array).permute(2, 0, 1)[None].clamp(0, 1)


def test_the_mapping_is_by_name_and_read_only() -> None:
    assert {name: preset.name for name, preset in PRESETS.items()} == {name: name for name in FAMILIES}
    with pytest.raises(TypeError):
        PRESETS["mine"] = PRESETS["meta"]  # type: ignore[index]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_rows_are_those_published(preset: Preset) -> None:
    assert Counter(row.family for row in preset.rows) == FAMILIES[preset.name]
    labels = [row.label for row in preset.rows]
    assert len(set(labels)) == len(labels)
    assert all(what and why for what, why in preset.left_out)
    # operations stand together, which the page of the presets relies on
    assert len(list(itertools.groupby(row.family for row in preset.rows))) == len(FAMILIES[preset.name])


@pytest.mark.parametrize("row", [row for preset in PRESETS.values() for row in preset.rows], ids=lambda row: row.label)
def test_rows_give_pictures(row: PresetRow, picture: Tensor) -> None:
    out = row.attack.apply(picture)
    assert out.shape[:2] == (1, 3)
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    if not row.attack.facts.resizes:
        assert out.shape == picture.shape


@pytest.mark.parametrize(
    ("preset", "name", "side"),
    [
        ("meta", "Resize", lambda side: side),
        ("meta", "Crop", lambda side: side),
        ("omniseal", "center_crop", math.sqrt),
        ("omniseal", "resize", math.sqrt),
        ("stirmark", "scale", lambda side: side),
        ("stirmark", "cropping", lambda per_cent: 1 - per_cent / 100),
    ],
)
def test_sizes_are_areas_or_sides_as_published(preset: str, name: str, side, picture: Tensor) -> None:
    for published, attack in family(preset, name):
        rows, columns = attack.apply(picture).shape[2:]
        assert abs(rows - HEIGHT * side(published)) <= 0.5
        assert abs(columns - WIDTH * side(published)) <= 0.5


def test_a_centre_crop_lies_in_the_centre(picture: Tensor) -> None:
    for _, attack in family("omniseal", "center_crop"):
        cut = attack.apply(picture)
        top, left = (HEIGHT - cut.shape[2]) // 2, (WIDTH - cut.shape[3]) // 2
        shifts = [
            picture[:, :, top + y :, left + x :][..., : cut.shape[2], : cut.shape[3]] for y in (0, 1) for x in (0, 1)
        ]
        assert any(torch.equal(cut, shift) for shift in shifts)


@pytest.mark.parametrize("area", [0.05, 0.1, 0.2, 0.5])
def test_a_collage_keeps_the_area_in_its_place(area: float, picture: Tensor) -> None:
    attack = dict(family("omniseal", "collage"))[area]
    out = attack.apply(picture)
    slack = 1 / math.sqrt(area)
    assert abs(out.shape[2] - HEIGHT) <= slack
    assert abs(out.shape[3] - WIDTH) <= slack
    rows, columns = min(out.shape[2], HEIGHT), min(out.shape[3], WIDTH)
    kept = max(
        (out.roll((y, x), (2, 3))[..., :rows, :columns] == picture[..., :rows, :columns]).all(1).float().mean()
        for y in (-1, 0, 1) for x in (-2, -1, 0, 1, 2)
    )  # fmt: skip
    assert float(kept) == pytest.approx(area, rel=0.1)


def test_random_places_are_as_far_off_the_centre_as_the_mean_one() -> None:
    for _, attack in family("meta", "Crop"):
        x, y = attack.matrix(1000, 1000)[:2, 2].tolist()
        assert isinstance(attack, Crop)
        room = 1000 * (1 - attack.side)
        draws = np.random.default_rng(1).uniform(0, room, 100_000)
        for shift in (x, y):
            assert abs(-shift - room / 2) == pytest.approx(np.abs(draws - room / 2).mean(), abs=0.01 * room + 1)


def test_waves_erases_the_area(picture: Tensor) -> None:
    for area, attack in family("waves", "erasing"):
        black = (attack.apply(picture * 0.5 + 0.5) == 0).float().mean()
        assert float(black) == pytest.approx(area, rel=0.03)


def test_waves_crops_the_area_and_resizes_back(picture: Tensor) -> None:
    smooth = F.interpolate(F.avg_pool2d(picture, 8), (HEIGHT, WIDTH), mode="bicubic").clamp(0, 1)
    for area, attack in family("waves", "resizedcrop"):
        rows, columns = HEIGHT * math.sqrt(area), WIDTH * math.sqrt(area)
        top, left = 0.75 * (HEIGHT - rows), 0.25 * (WIDTH - columns)
        box = (left, top, left + columns, top + rows)
        bands = [Image.fromarray(band.numpy()) for band in smooth[0]]
        expected = [np.array(band.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)) for band in bands]
        gap = levels(attack.apply(smooth)[0], torch.as_tensor(np.stack(expected)))[:, 4:-4, 4:-4]
        assert float(gap.max()) < 2  # other cubics: a is -0.5 there, -0.75 here
        assert float(gap.mean()) < 0.3


@pytest.mark.parametrize("preset", ["wbench", "waves"])
def test_blurs_are_those_of_pil(preset: str) -> None:
    large = tensor(Image.fromarray(data.astronaut()[:256, 100:356]))
    for radius, attack in family(preset, "blurring"):
        expected = tensor(pillow(large).filter(ImageFilter.GaussianBlur(radius)))
        inside = math.ceil(3 * radius)  # borders are reflected here, repeated there
        gap = levels(attack.apply(large), expected)[..., inside:-inside, inside:-inside]
        effect = levels(large, expected).mean()
        assert float(gap.mean()) < 0.05 * float(effect) + 0.5  # three boxes for a Gaussian, each cut to 8 bits
        assert float(gap.max()) < 5


@pytest.mark.parametrize("preset", ["wbench", "waves"])
@pytest.mark.parametrize(
    ("name", "enhance", "tolerance"),
    [
        ("brightness", ImageEnhance.Brightness, 1.0),  # PIL cuts off to whole levels
        ("contrast", ImageEnhance.Contrast, 1.5),  # and rounds the mean luma, of which factor - 1 counts
    ],
)
def test_factors_are_those_of_pil(preset: str, name: str, enhance, tolerance: float, picture: Tensor) -> None:
    for factor, attack in family(preset, name):
        expected = tensor(enhance(pillow(picture)).enhance(factor))
        assert float(levels(attack.apply(picture), expected).max()) < tolerance


def test_saturation_is_that_of_pil(picture: Tensor) -> None:
    for factor, attack in family("omniseal", "saturation"):
        expected = tensor(ImageEnhance.Color(pillow(picture)).enhance(factor))
        assert float(levels(attack.apply(picture), expected).max()) < 2  # luma and result cut off to whole levels


def test_sharpness_is_near_that_of_pil(picture: Tensor) -> None:
    for factor, attack in family("omniseal", "sharpness"):
        expected = tensor(ImageEnhance.Sharpness(pillow(picture)).enhance(factor))
        effect = levels(picture, expected).mean()
        assert float(levels(attack.apply(picture), expected).mean()) < 0.25 * float(effect) + 0.25  # cut to 8 bits


@pytest.mark.parametrize(
    ("preset", "name"),
    [("meta", "JPEG"), ("omniseal", "jpeg"), ("wbench", "compression"), ("waves", "compression"), ("stirmark", "JPEG")],
)
def test_jpeg_is_that_of_pil(preset: str, name: str, picture: Tensor) -> None:
    for quality, attack in family(preset, name):
        buffer = io.BytesIO()
        pillow(picture).save(buffer, "JPEG", quality=int(quality))
        assert torch.equal(attack.apply(picture), tensor(Image.open(buffer)))


@pytest.mark.parametrize(("preset", "name"), [("meta", "GaussianBlur"), ("omniseal", "gaussian_blur")])
def test_blur_kernels_are_those_of_opencv(preset: str, name: str, picture: Tensor) -> None:
    array = picture[0].permute(1, 2, 0).numpy()
    for kernel, attack in family(preset, name):
        blurred = cv2.GaussianBlur(array, (int(kernel),) * 2, 0, borderType=cv2.BORDER_REFLECT_101)
        expected = torch.as_tensor(blurred).permute(2, 0, 1)[None]
        effect = levels(picture, expected).mean()
        assert float(levels(attack.apply(picture), expected).mean()) < 0.1 * float(effect)


def test_noise_has_the_published_deviation() -> None:
    grey = torch.full((1, 3, 128, 128), 0.5)
    for preset in ("wbench", "waves"):
        for sigma, attack in family(preset, "noise"):
            assert float(attack.apply(grey).std()) == pytest.approx(sigma, rel=0.02)


def test_the_median_is_near_that_of_the_rows_medians(picture: Tensor) -> None:
    assert family("meta", "MedianFilter") == family("omniseal", "median_filter")
    grey = picture[:, :1]
    for kernel, attack in family("meta", "MedianFilter"):
        size, edge = int(kernel), int(kernel) // 2
        windows = np.lib.stride_tricks.sliding_window_view(grey[0, 0].numpy(), (size, size))
        expected = torch.as_tensor(np.median(np.median(windows, axis=-1), axis=-1))
        inside = np.s_[0, 0, edge:-edge, edge:-edge]
        gap, effect = (levels(image[inside], expected).mean() for image in (attack.apply(grey), grey))
        assert float(gap) < 0.35 * float(effect)


@pytest.mark.parametrize(("preset", "name"), [("meta", "Perspective"), ("omniseal", "perspective")])
def test_perspective_grows_with_its_scale(preset: str, name: str) -> None:
    corners = torch.tensor([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], dtype=torch.float64).T
    shifts = []
    for scale, attack in family(preset, name):
        moved = attack.matrix(1, 1) @ corners
        shift = (moved[:2] / moved[2] - corners[:2]).abs()
        assert float(shift.max()) <= scale / 2 + 1e-9
        shifts.append(shift / scale)
    assert all(torch.allclose(shift, shifts[0], atol=1e-6) for shift in shifts)
    assert float(shifts[0].mean()) == pytest.approx(0.25, abs=0.05)  # the mean of a draw


def test_combined_attacks_keep_the_order_of_their_source() -> None:
    for preset, name, order in (
        ("meta", "JPEG_Crop_Brightness", (RealJpeg, Crop, Brightness)),
        ("omniseal", "comb", (Crop, Brightness, RealJpeg)),
    ):
        for row in PRESETS[preset].rows:
            if row.family == name:
                assert isinstance(row.attack, Chain)
                assert tuple(type(attack) for attack in row.attack.attacks) == order


@pytest.mark.parametrize("strength", ["0.2", "0.4", "0.6", "0.8", "1.0"])
def test_waves_combines_its_single_attacks(strength: str, picture: Tensor) -> None:
    rows = {row.label: row.attack for row in PRESETS["waves"].rows}
    geometric, photometric = ["rotation", "resizedcrop", "erasing"], ["brightness", "contrast"]
    degradation = ["blurring", "noise", "compression"]
    for name, steps in {
        "geometric": geometric,
        "photometric": photometric,
        "degradation": degradation,
        "all": geometric + photometric + degradation,
    }.items():
        expected = picture
        for step in steps:
            expected = rows[f"{step} {strength}"].apply(expected)
        assert torch.equal(rows[f"combo_{name} {strength}"].apply(picture), expected)


@pytest.mark.parametrize(
    "matrix", [(1.01, 0.013, 0.009, 1.011), (1.007, 0.01, 0.01, 1.012), (1.013, 0.008, 0.011, 1.008)]
)
def test_linear_maps_of_stirmark_have_their_matrix(matrix: tuple[float, ...]) -> None:
    rows = {row.label: row.attack for row in PRESETS["stirmark"].rows}
    ours = rows["linear " + " ".join(map(str, matrix))].matrix(HEIGHT, WIDTH)[:2, :2]
    upwards = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))
    assert torch.allclose(upwards @ ours @ upwards, torch.tensor(matrix, dtype=torch.float64).reshape(2, 2), atol=1e-12)


def test_shears_of_stirmark_move_by_shares_of_the_sides() -> None:
    for row in PRESETS["stirmark"].rows:
        if row.family == "shearing":
            x, y = (int(value) / 100 for value in row.published.rpartition(" ")[2].split("/"))
            matrix = row.attack.matrix(200, 400)
            expected = torch.tensor([[1, -x * 400 / 200], [-y * 200 / 400, 1]], dtype=torch.float64)
            assert torch.allclose(matrix[:2, :2] / matrix[2, 2], expected, atol=1e-9)
            assert float(row.attack.apply(torch.ones(1, 1, 200, 400))[..., 2:-2, 2:-2].min()) > 0.99  # no gaps


def test_aspect_ratios_of_stirmark_are_width_and_height(picture: Tensor) -> None:
    for row in PRESETS["stirmark"].rows:
        if row.family == "ratio":
            x, y = (float(value) for value in row.published.rpartition(" ")[2].split("/"))
            assert row.attack.apply(picture).shape[2:] == (round(HEIGHT * y), round(WIDTH * x))


@pytest.mark.parametrize(
    ("label", "kernel"),
    [
        ("Gaussian filtering", np.outer([1, 2, 1], [1, 2, 1]) / 16),
        ("Sharpening", np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])),
    ],
)
def test_filters_of_stirmark_are_near_its_kernels(label: str, kernel: np.ndarray, picture: Tensor) -> None:
    (attack,) = [row.attack for row in PRESETS["stirmark"].rows if row.label == label]
    expected = filtered(picture, kernel)
    effect = levels(picture, expected).mean()
    assert float(levels(attack.apply(picture), expected).mean()) < 0.3 * float(effect)


def test_stirmark_codes_every_row_but_the_flip_once_more() -> None:
    rows = {row.label: row.attack for row in PRESETS["stirmark"].rows}
    coded = {label: attack for label, attack in rows.items() if label.endswith(", JPEG 90")}
    for label, attack in coded.items():
        assert attack == Chain((rows[label.removesuffix(", JPEG 90")], RealJpeg(90)))
    plain = [row for row in PRESETS["stirmark"].rows if row.family not in {"flip", "JPEG", "reduce_colour"}]
    assert len(plain) == 2 * len(coded)


def test_256_colours_are_left(picture: Tensor) -> None:
    (attack,) = [row.attack for row in PRESETS["stirmark"].rows if row.family == "reduce_colour"]
    assert len(attack.apply(picture)[0].flatten(1).unique(dim=1).T) <= 256
