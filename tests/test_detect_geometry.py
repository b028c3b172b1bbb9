"""Marks on real pictures that were moved: read, and located."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from marked_samples import PAYLOAD, attacked

from attacks import Chain, Crop, Flip, QuarterTurn, RealJpeg, Resize, Rotate
from watermark import Detector, Key
from watermark.registration.candidates import most_candidates
from watermark.registration.geometry import rotation, translation


def test_pictures_other_than_the_identity_need_a_search(marked, detector):
    turned = attacked(QuarterTurn(1), marked["coffee"])
    assert not detector.detect(turned, search="none").present
    assert detector.detect(turned, search="fast").payload == PAYLOAD
    tilted = attacked(Rotate(30), marked["coffee"])
    assert not detector.detect(tilted, search="fast").present
    assert detector.detect(tilted, search="full").payload == PAYLOAD


# Attack, then where the mark lies after it: rotation, mirrored, scale, shift across and down in short sides.
GEOMETRIC = [
    (Flip("horizontal"), 0, True, 1, 0, 0),
    (Flip("vertical"), 180, True, 1, 0, 0),
    (QuarterTurn(1), 90, False, 1, 0, 0),
    (QuarterTurn(2), 180, False, 1, 0, 0),
    (QuarterTurn(3), -90, False, 1, 0, 0),
    (Crop(0.71), 0, False, 1 / 0.71, 0, 0),
    (Rotate(30), 30, False, 1, 0, 0),
    (Rotate(-100), -100, False, 1, 0, 0),
    (Resize(0.5), 0, False, 1, 0, 0),
    (Resize(1.3), 0, False, 1, 0, 0),
    (RealJpeg(50), 0, False, 1, 0, 0),
    (Chain((Crop(0.75), RealJpeg(60))), 0, False, 1 / 0.75, 0, 0),
]


@pytest.mark.parametrize("name", ["astronaut", "coffee", "camera"])
@pytest.mark.parametrize(("attack", "rotation", "flipped", "scale", "shift_x", "shift_y"), GEOMETRIC)
def test_attacked_marks_are_read_and_located(
    marked, detector, name, attack, rotation, flipped, scale, shift_x, shift_y
):
    found = detector.detect(attacked(attack, marked[name]))
    assert found.payload == PAYLOAD
    geometry = found.geometry
    assert geometry.flipped == flipped
    assert abs((geometry.rotation_degrees - rotation + 180) % 360 - 180) < 0.3
    assert geometry.scale == pytest.approx(scale, rel=0.005)
    assert geometry.aspect == pytest.approx(1, abs=0.01)
    assert (geometry.shift_x, geometry.shift_y) == pytest.approx((shift_x, shift_y), abs=0.01)


@pytest.mark.parametrize(
    "attack", [Flip("horizontal"), Flip("vertical"), QuarterTurn(1), QuarterTurn(2), QuarterTurn(3)]
)
def test_whole_turns_and_mirrors_are_tried_before_any_registration(marked, detector, attack):
    readings = detector.readings(attacked(attack, marked["coffee"]), search="fast")
    energies = [next(readings).energy for _ in range(8)]
    assert max(energies) > 3
    assert sorted(energies)[-2] < 2


def test_a_small_crop_that_single_reading_misses_is_read_jointly(marked, detector, monkeypatch):
    cropped = attacked(Crop(0.29), marked["camera"])
    assert detector.detect(cropped, search="fast").payload == PAYLOAD
    monkeypatch.setattr("watermark.registration.candidates._places", lambda listener, readings: [])
    assert not detector.detect(cropped, search="fast").present


def test_a_tilted_picture_is_located_in_perspective(marked, detector):
    """Once a turned picture has been read, its registration is sharpened to a homography."""
    height, width = marked["coffee"].shape[:2]
    centre = translation(width / 2, height / 2)
    tilt = np.array([[1, 0, 0], [0, 1, 0], [2e-5, -3e-5, 1]])
    tilted = centre @ rotation(4) @ tilt @ np.linalg.inv(centre)
    pixels = cv2.warpPerspective(marked["coffee"], tilted, (width, height), flags=cv2.INTER_CUBIC)
    found = detector.detect(pixels)
    assert found.payload == PAYLOAD
    to_pixels = tilted @ centre @ np.diag([height, height, 1])
    expected, matrix = (item[2, :2] / item[2, 2] for item in (to_pixels, np.array(found.geometry.matrix)))
    assert matrix == pytest.approx(expected, abs=0.006)
    assert np.hypot(*(matrix - expected)) < 0.5 * np.hypot(*expected)


@pytest.mark.parametrize("name", ["coffee", "astronaut"])
def test_a_picture_in_perspective_is_found(marked, detector, name):
    """Too far from any affine map for the search to read on the way; the corners are found to a 50th of the side."""
    height, width = marked[name].shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    moved = corners + np.float32([[0.14, 0.03], [-0.02, 0.12], [-0.1, -0.06], [0.03, -0.13]]) * [width, height]
    matrix = cv2.getPerspectiveTransform(corners, np.float32(moved))
    pixels = cv2.warpPerspective(marked[name], matrix, (width, height))
    found = detector.detect(pixels)
    assert found.payload == PAYLOAD
    assert not detector.detect(pixels, search="fast").present
    assert detector.check(pixels, PAYLOAD).matches
    side = min(height, width)
    tile = np.array(found.geometry.matrix)
    shares = (corners - [width / 2, height / 2]) / side
    there = cv2.perspectiveTransform(np.float32(moved)[None], np.linalg.inv(tile))[0]
    assert np.abs(there - shares - (there - shares).mean(axis=0).round()).max() < 0.02  # whole tiles are alike


def test_an_uneven_crop_is_located(marked, detector):
    """The left top corner of 400 x 600: the centre (300, 200) lies right and below of the crop's (213, 142)."""
    found = detector.detect(attacked(Crop(0.71, x=0, y=0), marked["coffee"]))
    assert found.payload == PAYLOAD
    assert found.geometry.shift_x == pytest.approx((300 - 213) / 400, abs=0.01)
    assert found.geometry.shift_y == pytest.approx((200 - 142) / 400, abs=0.01)
    matrix = np.array(found.geometry.matrix)
    assert matrix[:2, 2] % 400 == pytest.approx([300 % 400, 200 % 400], abs=4)
    assert matrix[0, 0] == pytest.approx(400, rel=0.005)


def test_a_stretched_picture_is_found(marked, detector):
    found = detector.detect(attacked(Resize(1.0, aspect=1.08), marked["coffee"]))
    assert found.payload == PAYLOAD
    assert found.geometry.aspect == pytest.approx(1.08, rel=0.01)


@pytest.mark.parametrize("search", ["fast", "full"])
@pytest.mark.parametrize(
    ("attack", "degrees", "scale"),
    [(Crop(0.99), 0.0, 1 / 0.99), (Rotate(0.5), 0.5, 1.0), (Rotate(-0.4), -0.4, 1.0), (Chain(()), 0.0, 1.0)],
)
def test_a_slight_change_is_located_too(marked, detector, attack, degrees, scale, search):
    """These read upright, without registration; their geometry is refined all the same."""
    found = detector.detect(attacked(attack, marked["astronaut"]), search)
    assert found.payload == PAYLOAD
    assert found.geometry.rotation_degrees == pytest.approx(degrees, abs=0.3)
    assert found.geometry.scale == pytest.approx(scale, rel=0.005)


@pytest.mark.parametrize("search", ["none", "fast", "full"])
def test_no_search_reads_more_than_its_p_value_allows_for(marked, search):
    """What ``check`` multiplies its p-value by bounds the readings, also of a picture that holds nothing of the key."""
    stranger = Detector(Key(bytes(32)))
    count = sum(1 for _ in stranger.readings(attacked(Rotate(20.0), marked["coffee"]), search))
    assert {"none": 1, "fast": 8, "full": 60}[search] <= count <= most_candidates(search)
