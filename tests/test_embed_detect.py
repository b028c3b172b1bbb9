"""Marks on real pictures: written, attacked, read; and nothing read where nothing is."""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from marked_samples import PAYLOAD, PICTURES, attacked
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from attacks import Brightness, Crop, RealJpeg, Rotate, WebP
from watermark import Detector, Embedder, Key, Payload, embed, host
from watermark.detect import CLAIM_LEVEL
from watermark.errors import ImageTooSmall, UnsupportedImage, UsageError, WeightsError
from watermark.host import Target
from watermark.nets.model import load_model
from watermark.payload.frame import LIST_SIZE, encode_frame
from watermark.perception import quality_loss
from watermark.working import reduced_luma

PAYLOADS = (Payload(b"mark"), PAYLOAD, Payload(bytes(range(16))))
FIXED = Key(bytes(range(32)))


def variant(picture, kind, dtype):
    """The picture as grey, RGB or RGBA (with a soft edge and a hole) in 8 or 16 bits."""
    if kind == "grey":
        picture = picture.mean(axis=2).astype(np.uint8)
    elif kind == "rgba":
        alpha = np.full(picture.shape[:2], 255, np.uint8)
        alpha[:, :20] = 128
        alpha[100:140, 100:140] = 0
        picture = np.dstack([picture, alpha])
    return picture if dtype == np.uint8 else picture.astype(np.uint16) * 257


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["grey", "rgb", "rgba"])
def test_every_kind_of_pixels_reads_back(pictures, detector, kind, dtype):
    pixels = variant(pictures["coffee"], kind, dtype)
    before = pixels.copy()
    result = Embedder(strength=42).embed(pixels, PAYLOAD)
    assert np.array_equal(pixels, before)
    assert result.pixels.shape == pixels.shape
    assert result.pixels.dtype == dtype
    assert result.read_back
    assert detector.detect(result.pixels, search="none").payload == PAYLOAD
    if kind == "rgba":
        assert np.array_equal(result.pixels[..., 3], pixels[..., 3])
        hole = pixels[..., 3] == 0
        assert np.array_equal(result.pixels[hole], pixels[hole])


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: f"{payload.format}")
@pytest.mark.parametrize("name", PICTURES)
def test_the_standard_mark_reads_in_every_format(pictures, detector, name, payload):
    result = Embedder().embed(pictures[name], payload)
    assert result.read_back
    found = detector.detect(result.pixels)
    assert found.present
    assert found.payload == payload
    assert found.score > 1.5
    assert 42 < result.psnr < 60
    assert result.ssim > 0.98


def test_what_is_said_about_the_result_is_true(pictures):
    result = Embedder(strength=41).embed(pictures["coffee"], PAYLOAD)
    assert result.strength == 41
    assert result.psnr == pytest.approx(peak_signal_noise_ratio(pictures["coffee"], result.pixels), abs=0.01)
    assert 0.9 < result.ssim < 1


def test_a_mark_that_does_not_read_back_is_not_claimed_to():
    """So quiet a mark rounds away on a black picture."""
    result = Embedder(strength=60).embed(NOT_MARKED["black"], PAYLOAD)
    assert np.array_equal(result.pixels, NOT_MARKED["black"])
    assert result.psnr == float("inf")
    assert not result.read_back


def test_a_stronger_level_is_louder_and_none_costs_more_quality_than_it_may(pictures):
    results = [Embedder(robustness=level).embed(pictures["coffee"], PAYLOAD) for level in ("low", "standard", "high")]
    assert [result.strength for result in results] == sorted((result.strength for result in results), reverse=True)
    luma = torch.from_numpy(reduced_luma(pictures["coffee"]))
    for result, allowed in zip(results, (0.11, 0.18, 0.30), strict=True):
        change = torch.from_numpy(reduced_luma(result.pixels)) - luma
        assert quality_loss(luma[None, None], change[None, None], 400).item() < 1.2 * allowed


def test_quality_stops_the_strength_but_not_below_what_reads_after_webp(pictures, monkeypatch):
    def embedded(energy, loss, wrong):
        monkeypatch.setattr(embed, "_TARGETS", {"standard": Target(energy, loss, wrong)})
        return Embedder().embed(pictures["coffee"], PAYLOAD)

    loud, capped = embedded(6.0, 1.0, 1.0), embedded(6.0, 0.1, 1.0)
    assert capped.strength > loud.strength + 1
    assert loud.reached
    assert not capped.reached
    faint, floored = embedded(1.2, 0.01, 1.0), embedded(1.2, 0.01, 0.12)
    reads = [Detector().detect(attacked(WebP(50), result.pixels)).payload for result in (faint, floored)]
    assert reads == [None, PAYLOAD]
    monkeypatch.setattr(host, "_MOST_LOSS", 0.02)  # too little for WebP here, so it buys nothing
    assert embedded(1.2, 0.01, 0.12).strength == faint.strength


def test_a_bright_picture_is_marked_to_read_when_brightened(pictures, monkeypatch):
    pixels = np.clip(pictures["astronaut"].astype(int) + 130, 0, 255).astype(np.uint8)
    monkeypatch.setattr(embed, "_TARGETS", {"standard": Target(1.2, 1.0, 0.18)})
    results = [Embedder().embed(pixels, PAYLOAD)]
    monkeypatch.setattr(host, "_BRIGHTENED", host._BRIGHTENED._replace(brightness=1.0))
    results.insert(0, Embedder().embed(pixels, PAYLOAD))
    assert results[1].strength < results[0].strength - 1
    read = [Detector().detect(attacked(Brightness(2.0), result.pixels)).payload for result in results]
    assert read == [None, PAYLOAD]


def test_a_page_that_no_mark_can_save_from_brightening_is_not_marked_louder(monkeypatch):
    monkeypatch.setattr(embed, "_TARGETS", {"standard": Target(1.2, 1.0, 1.0)})
    page = np.clip(2 * data.page().astype(int), 0, 255).astype(np.uint8)
    assert Embedder().embed(page, PAYLOAD).strength > host.LOUDEST + 3


def test_no_pixel_of_the_working_size_changes_by_more_than_the_bound(pictures, monkeypatch):
    monkeypatch.setattr(host, "_LARGEST_CHANGE", 3 / 255)
    change = Embedder().embed(pictures["coffee"], PAYLOAD).pixels.astype(int) - pictures["coffee"]
    assert np.abs(change).max() <= 4  # a cubic may overshoot by one


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_marks_are_the_same_whatever_the_callers_gradient_mode(pictures, mode):
    expected = Embedder().embed(pictures["coffee"], PAYLOAD).pixels
    load_model.cache_clear()
    with mode():
        assert np.array_equal(Embedder().embed(pictures["coffee"], PAYLOAD).pixels, expected)
    assert np.array_equal(Embedder().embed(pictures["coffee"], PAYLOAD).pixels, expected)


@pytest.mark.parametrize(("side", "expected"), [(199, 0), (200, 1)])
def test_pictures_under_200_pixels_are_not_shaped(pictures, monkeypatch, side, expected):
    calls = []
    monkeypatch.setattr(host, "shaped", lambda scene, model, carriers, start, *rest: calls.append(scene) or start)
    result = Embedder(strength=38).embed(np.ascontiguousarray(pictures["coffee"][100 : 100 + side, :260]), PAYLOAD)
    assert len(calls) == expected
    assert result.read_back


def test_a_half_transparent_picture_takes_a_louder_mark(pictures):
    """What shows half may be twice as loud: 6 dB."""
    opaque, half = (np.dstack([pictures["coffee"], np.full((400, 600), alpha, np.uint8)]) for alpha in (255, 128))
    strengths = [Embedder().embed(picture, PAYLOAD).strength for picture in (opaque, half)]
    assert strengths[0] - strengths[1] > 3


def test_a_very_long_picture_is_marked_too(detector):
    long = np.tile(data.coffee()[:150, :300], (1, 7, 1))  # too long for gradients
    result = Embedder().embed(long, PAYLOAD)
    assert result.read_back
    assert detector.detect(result.pixels).payload == PAYLOAD


@pytest.mark.parametrize("search", ["none", "fast", "full"])
def test_an_unmarked_picture_gives_nothing(pictures, detector, search):
    found = detector.detect(pictures["coffee"], search=search)
    assert dataclasses.replace(found, score=0, false_positive_bound=0) == dataclasses.replace(
        found,
        present=False,
        payload=None,
        geometry=None,
        bit_errors=None,
        search=search,
        score=0,
        false_positive_bound=0,
    )


NOT_MARKED = {
    "constant": np.full((200, 260), 90, np.uint8),
    "black": np.zeros((128, 128, 3), np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (300, 260, 3), dtype=np.uint8),
    "checkerboard": (np.indices((256, 256)).sum(0) // 4 % 2 * 255).astype(np.uint8),
    "stripes": np.tile((np.arange(300) // 3 % 2 * 255).astype(np.uint8), (200, 1)),
    "transparent": np.zeros((150, 150, 4), np.uint8),
}


@pytest.mark.parametrize("name", NOT_MARKED)
def test_pictures_of_nothing_give_nothing(detector, name):
    found = detector.detect(NOT_MARKED[name], search="full" if name in ("constant", "stripes") else "fast")
    assert not found.present
    assert np.isfinite(found.score)
    assert not detector.check(NOT_MARKED[name], PAYLOAD, search="fast").matches


def test_another_key_finds_nothing(marked, pictures, detector):
    assert not Detector(FIXED).detect(marked["coffee"]).present
    own = Embedder(FIXED, strength=40).embed(pictures["coffee"], PAYLOAD).pixels
    assert Detector(FIXED).detect(own).payload == PAYLOAD
    assert not detector.detect(own, search="fast").present
    assert not detector.check(own, PAYLOAD, search="fast").matches


def test_pictures_that_carry_little_are_marked_without_failing():
    for pixels in NOT_MARKED.values():
        result = Embedder().embed(pixels, PAYLOAD)
        assert result.pixels.shape == pixels.shape
        assert result.psnr > 25


def test_the_false_positive_bound_counts_tags(marked, detector):
    first = detector.detect(marked["coffee"], search="none")
    assert first.false_positive_bound == 2.0**-32  # 64 bits are tried first, the right candidate came first
    assert Detector(formats=(32, 64)).detect(marked["coffee"], search="none").false_positive_bound == pytest.approx(
        (LIST_SIZE + 1) * 2.0**-32
    )
    nothing = detector.detect(NOT_MARKED["noise"], search="fast")
    attempts = nothing.false_positive_bound * 2.0**32 / (3 * LIST_SIZE)
    assert attempts == pytest.approx(round(attempts))
    assert 0 <= attempts < 100
    readings = detector.readings(NOT_MARKED["noise"], search="fast")
    assert attempts == pytest.approx(sum(reading.energy >= 1.25 for reading in readings))


def test_only_the_formats_asked_for_are_read(marked):
    assert Detector(formats=(64,)).detect(marked["coffee"], search="none").present
    assert not Detector(formats=(32, 128)).detect(marked["coffee"], search="none").present


def test_check_confirms_what_is_there_and_nothing_else(marked, detector):
    right = detector.check(marked["coffee"], PAYLOAD)
    assert right.matches
    assert right.p_value < 1e-20
    assert right.bit_errors < 20
    assert right.geometry.scale == pytest.approx(1, rel=0.005)
    wrong = detector.check(marked["coffee"], Payload.from_text("othertxt"), search="fast")
    assert not wrong.matches
    assert wrong.p_value > 100 * CLAIM_LEVEL


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_check_reads_what_detect_cannot(pictures, detector, name):
    """At the first JPEG quality at which a quiet mark no longer decodes, the claim still fits."""
    quiet = Embedder(strength=56).embed(pictures[name], PAYLOAD).pixels
    steps = (attacked(RealJpeg(quality), quiet) for quality in (95, 85, 75, 65, 55, 45, 35, 25, 15, 5))
    pixels = next(step for step in steps if not detector.detect(step, search="none").present)
    right = detector.check(pixels, PAYLOAD, search="none")
    assert right.matches
    assert right.p_value <= CLAIM_LEVEL
    assert right.bit_errors > 10
    assert not detector.check(pixels, Payload.from_text("othertxt"), search="fast").matches


def test_check_locates_turned_pictures(marked, detector):
    found = detector.check(attacked(Rotate(30), marked["coffee"]), PAYLOAD)
    assert found.matches
    assert found.geometry.rotation_degrees == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("search", ["none", "fast"])
def test_p_values_of_unmarked_pictures_are_bounds(pictures, detector, search):
    values = [
        detector.check(picture, Payload(bytes([number] * 8)), search=search).p_value
        for picture in pictures.values()
        for number in range(1 if search == "fast" else 10)
    ]
    assert min(values) > 0.01


def test_a_detector_serves_threads_and_repeats_itself(marked, pictures):
    detector = Detector()
    tasks = [attacked(Crop(0.71), marked["coffee"]), marked["camera"], pictures["chelsea"], marked["astronaut"]]
    alone = [detector.detect(pixels, search="fast") for pixels in tasks]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pixels: detector.detect(pixels, search="fast"), tasks)) == alone
    assert [found.present for found in alone] == [True, True, False, True]


def test_embedding_is_deterministic_and_an_embedder_serves_threads(pictures):
    embedder = Embedder()
    first = embedder.embed(pictures["chelsea"], PAYLOAD)
    with ThreadPoolExecutor(2) as pool:
        for again in pool.map(lambda _: embedder.embed(pictures["chelsea"], PAYLOAD), range(2)):
            assert np.array_equal(again.pixels, first.pixels)
            assert (again.strength, again.psnr, again.ssim) == (first.strength, first.psnr, first.ssim)


def test_payload_and_key_change_the_mark(pictures):
    texts = [
        Embedder(key, strength=40).embed(pictures["chelsea"], payload).pixels.tobytes()
        for key, payload in ((None, PAYLOAD), (None, PAYLOADS[0]), (FIXED, PAYLOAD))
    ]
    assert len({hashlib.sha256(text).digest() for text in texts}) == 3
    assert Embedder(Key.open(), strength=40).embed(pictures["chelsea"], PAYLOAD).pixels.tobytes() == texts[0]


def test_the_fixed_strength_is_what_it_says(pictures):
    """Five decibels of strength are five decibels of PSNR, but for the rounding to whole levels."""
    psnr = [Embedder(strength=strength).embed(pictures["coffee"], PAYLOAD).psnr for strength in (34, 39, 44)]
    assert np.diff(psnr) == pytest.approx([5, 5], abs=0.7)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_more_robust_is_louder_and_reads_better(pictures, detector, name):
    results = [Embedder(robustness=level).embed(pictures[name], PAYLOAD) for level in ("low", "standard", "high")]
    assert results[0].psnr > results[1].psnr > results[2].psnr
    assert results[0].strength > results[1].strength > results[2].strength
    scores = [detector.detect(attacked(RealJpeg(50), result.pixels), search="fast").score for result in results]
    assert scores == sorted(scores)
    assert all(result.read_back for result in results)


@pytest.mark.parametrize("shape", [(128, 128), (128, 300), (131, 129), (128, 800)])
def test_the_smallest_and_the_longest_pictures(pictures, detector, shape):
    picture = np.tile(pictures["coffee"], (1, 4, 1))[100 : 100 + shape[0], : shape[1]]
    result = Embedder(strength=36).embed(np.ascontiguousarray(picture), PAYLOAD)
    assert result.pixels.shape == picture.shape
    assert result.read_back
    assert detector.detect(result.pixels, search="none").payload == PAYLOAD


def test_views_of_arrays_are_taken(pictures):
    view = pictures["coffee"][::-1, ::-1]
    assert not view.flags["C_CONTIGUOUS"]
    assert Embedder(strength=40).embed(view, PAYLOAD).read_back


@pytest.mark.parametrize("method", ["embed", "detect", "check"])
def test_pixels_that_cannot_be_handled_are_refused(method):
    calls = {
        "embed": lambda pixels: Embedder().embed(pixels, PAYLOAD),
        "detect": Detector().detect,
        "check": lambda pixels: Detector().check(pixels, PAYLOAD),
    }
    with pytest.raises(ImageTooSmall):
        calls[method](np.zeros((127, 300, 3), np.uint8))
    with pytest.raises(UnsupportedImage):
        calls[method](np.zeros((200, 300, 3), np.float32))


def test_choices_that_do_not_exist_are_refused(tmp_path):
    pixels = NOT_MARKED["noise"]
    for call in (Detector().detect, lambda *given: Detector().check(given[0], PAYLOAD, given[1])):
        with pytest.raises(UsageError, match="search must be one of none, fast, full, but is 'slow'"):
            call(pixels, "slow")
    with pytest.raises(UsageError, match="robustness must be one of low, standard, high, but is 'extreme'"):
        Embedder(robustness="extreme")
    for strength in (29.9, 60.1, float("nan")):
        with pytest.raises(UsageError, match="30 to 60"):
            Embedder(strength=strength)
    for formats in ((), (16,), (64, 65)):
        with pytest.raises(UsageError, match="formats"):
            Detector(formats=formats)
    with pytest.raises(WeightsError):
        Detector(weights=tmp_path / "none.safetensors")


@pytest.mark.parametrize("size", [4, 8, 16])
def test_no_other_payload_of_the_key_fits_by_chance(size):
    """Of codewords read without any noise, none of 3000 other payloads may fit at the claim's level."""
    signs = 1.0 - 2.0 * encode_frame(Payload(bytes(size)), FIXED)
    others = [encode_frame(Payload(number.to_bytes(size, "big")), FIXED) for number in range(1, 3001)]
    fits = (1.0 - 2.0 * np.array(others)) @ signs / 16
    assert np.exp(-0.5 * fits.max() ** 2) > CLAIM_LEVEL


def test_a_very_long_picture_is_marked_and_read():
    picture = np.tile(data.astronaut()[:160, :160], (1, 15, 1))
    marked = Embedder(strength=42).embed(picture, PAYLOAD)
    assert marked.read_back
