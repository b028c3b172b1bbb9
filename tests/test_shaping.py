"""Shaping by gradient: its ear against the detector's, and what it does for a mark."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from attacks import Avif, Jpeg, WebP
from watermark.carriers import Carriers
from watermark.detect import estimate_residual
from watermark.nets.model import load_model
from watermark.pattern import plain_residual
from watermark.payload.keys import Key
from watermark.perception import quality_loss
from watermark.registration.geometry import DIHEDRAL, centred
from watermark.registration.search import Listener
from watermark.shaping import BALANCED, Scene, _attacked, _turned_part, _windows, shaped
from watermark.working import add_residual, reduced_luma

# 512 x 512; 384 x 687 and so 458 columns at the working size, 229 in the estimate: an odd number
HOSTS = {"even": lambda: data.astronaut(), "odd": lambda: np.hstack([data.coffee()[:384], data.coffee()[:384, 86::-1]])}
MODEL = load_model()
CARRIERS = Carriers.from_key(Key.open())
SIGNS = torch.from_numpy(np.random.default_rng(3).choice([-1.0, 1.0], 256).astype(np.float32))


def plain(pixels, strength):
    """Scene and plain mark of a picture."""
    luma = reduced_luma(pixels)
    view = reduced_luma(pixels, min(512, *pixels.shape[:2]))
    residual = plain_residual(MODEL, CARRIERS, luma, SIGNS.numpy(), strength)
    luma, view, residual = (torch.from_numpy(plane)[None, None] for plane in (luma, view, residual))
    return Scene(luma, view, torch.ones(1, 1, 1, 1), min(pixels.shape[:2])), residual


@pytest.fixture(scope="module", params=HOSTS)
def marked(request):
    return plain(HOSTS[request.param](), 40.0)


@pytest.mark.parametrize(("host", "side"), [("even", 512), ("even", 200), ("odd", 384), ("odd", 300)])
def test_windows_hear_what_the_detector_hears(host, side):
    """Against the real chain: cubic enlargement, rounding, JPEG of OpenCV, reduction, and the detector's folding."""
    pixels = HOSTS[host]()
    height, width = pixels.shape[:2]
    pixels = cv2.resize(pixels, (width * side // height, side), interpolation=cv2.INTER_AREA)
    scene, residual = plain(pixels, 40.0)
    with torch.no_grad():
        soft, pilot = _windows(
            _attacked(scene, residual, 1.0, Jpeg(60)), scene, MODEL, CARRIERS, np.random.default_rng(1)
        )
    marked = add_residual(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), residual[0, 0].numpy())
    coded = cv2.imencode(".jpg", marked, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    estimate = estimate_residual(MODEL, reduced_luma(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)))
    heard = Listener(estimate, CARRIERS, MODEL.receive).read(centred(DIHEDRAL[0], *estimate.shape))
    assert np.corrcoef(soft[0].numpy(), heard.soft)[0, 1] > 0.98
    assert (soft * SIGNS).mean(1).min() > 0.5  # every window hears the bits
    assert pilot.mean(1).min() > 0.3


@pytest.mark.parametrize("seed", range(4))
def test_a_turned_part_hears_the_bits(marked, seed):
    scene, residual = marked
    with torch.no_grad():
        soft, pilot = _turned_part(
            _attacked(scene, residual, 1.0, Jpeg(60)), scene, MODEL, CARRIERS, np.random.default_rng(seed)
        )
    assert (soft * SIGNS).mean() > 0.5
    assert pilot.mean() > 0.3


@pytest.mark.parametrize("host", HOSTS)
def test_a_shaped_mark_shows_less_and_reads_better_where_it_shows_as_much(host):
    scene, residual = plain(HOSTS[host](), 46.0)
    before = residual.clone()
    result = shaped(scene, MODEL, CARRIERS, residual, SIGNS)
    assert torch.equal(residual, before)
    assert result.shape == residual.shape
    assert result.square().mean() == pytest.approx(residual.square().mean().item(), rel=1e-4)
    losses = [quality_loss(scene.luma, mark, scene.short_side).item() for mark in (residual, result)]
    assert losses[1] < 0.7 * losses[0]
    scores = [
        _windows(_attacked(scene, mark, 1.0, Jpeg(45)), scene, MODEL, CARRIERS, np.random.default_rng(7))
        for mark in (residual, result)
    ]
    assert scores[1][1].mean() > 0.8 * scores[0][1].mean()  # the pilot is not sold for bits
    louder = result * (losses[0] / losses[1]) ** (1 / 2.2)
    assert quality_loss(scene.luma, louder, scene.short_side) < 1.05 * losses[0]
    with torch.no_grad():
        heard = [
            _windows(_attacked(scene, mark, 1.0, Jpeg(45)), scene, MODEL, CARRIERS, np.random.default_rng(7))[0]
            for mark in (residual, louder)
        ]
    assert (heard[1] * SIGNS).mean() > 1.1 * (heard[0] * SIGNS).mean()
    assert torch.equal(shaped(scene, MODEL, CARRIERS, residual, SIGNS), result)


def test_what_brightening_turns_white_carries_nothing():
    scene, residual = plain(np.full((256, 256), 160, np.uint8), 40.0)
    white = _attacked(scene, residual, 2.0, Jpeg(60))
    assert white.min() > 0.995
    assert white.max() - white.min() < 0.002
    dark, _ = plain(np.full((256, 256), 40, np.uint8), 40.0)
    assert _attacked(dark, 0 * residual, 2.0, Jpeg(95)).mean() == pytest.approx(2 * dark.view.mean().item(), rel=0.01)


def test_meeting_brightness_makes_a_mark_read_better_after_it():
    pixels = np.clip(data.astronaut().astype(int) + 80, 0, 255).astype(np.uint8)
    scene, residual = plain(pixels, 46.0)
    shapes = [shaped(scene, MODEL, CARRIERS, residual, SIGNS)]
    as_bright = tuple(  # but with the same draws
        dataclasses.replace(meeting, brightness=(0.0, 1e-9 * max(meeting.brightness))) for meeting in BALANCED.meetings
    )
    course = dataclasses.replace(BALANCED, meetings=as_bright)
    shapes.insert(0, shaped(scene, MODEL, CARRIERS, residual, SIGNS, course))
    with torch.no_grad():
        without, with_it = (
            _windows(_attacked(scene, mark, 1.6, Jpeg(80)), scene, MODEL, CARRIERS, np.random.default_rng(7))[0][0]
            for mark in shapes
        )
    assert (with_it * SIGNS).mean() > 1.02 * (without * SIGNS).mean()


@pytest.mark.parametrize("code", [WebP(40), Avif(40)])
def test_a_codec_without_gradient_is_heard_as_it_is_and_passes_the_gradient_on(code):
    scene, residual = plain(np.full((256, 256), 128, np.uint8), 30.0)
    heard = residual.clone().requires_grad_(True)
    attacked = _attacked(scene, heard, 1.0, code)
    levels = 255 * attacked.detach()
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert (attacked.detach() - (scene.view + residual)).abs().max() > 1 / 255
    (gradient,) = torch.autograd.grad(attacked.sum(), heard)
    torch.testing.assert_close(gradient, torch.ones_like(gradient))


def test_a_transparent_part_is_neither_seen_nor_heard(marked):
    scene, residual = marked
    opacity = torch.ones_like(scene.luma)
    middle = opacity.shape[3] // 2
    opacity[..., :middle] = 0
    part = dataclasses.replace(scene, opacity=opacity)
    edge = scene.view.shape[3] // 2
    attacked, opaque, host = (
        _attacked(part, residual, 1.0, Jpeg(60)),
        _attacked(scene, residual, 1.0, Jpeg(60)),
        _attacked(scene, 0 * residual, 1.0, Jpeg(60)),
    )
    assert torch.equal(attacked[..., : edge - 32], host[..., : edge - 32])
    assert torch.equal(attacked[..., edge + 32 :], opaque[..., edge + 32 :])
    assert not torch.equal(opaque[..., : edge - 32], host[..., : edge - 32])


def test_a_mark_at_half_opacity_is_shaped_as_one_half_as_loud():
    scene, residual = plain(HOSTS["even"](), 40.0)
    half = dataclasses.replace(scene, opacity=torch.full((1, 1, 1, 1), 0.5))
    expected = 2 * shaped(scene, MODEL, CARRIERS, 0.5 * residual, SIGNS)
    torch.testing.assert_close(shaped(half, MODEL, CARRIERS, residual, SIGNS), expected)


def test_a_picture_of_nothing_is_shaped_without_harm():
    flat = np.full((256, 256), 128, np.uint8)
    scene, residual = plain(flat, 45.0)
    assert torch.isfinite(shaped(scene, MODEL, CARRIERS, residual, SIGNS)).all()
    assert torch.equal(shaped(scene, MODEL, CARRIERS, torch.zeros_like(residual), SIGNS), torch.zeros_like(residual))
