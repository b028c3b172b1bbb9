"""Geometry: what a matrix means in words, and that the signs are those of the attacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks import Affine, Crop, Flip, QuarterTurn, Resize, Rotate
from watermark.registration.geometry import DIHEDRAL, Geometry, centred, linear, rotation, translation
from watermark.working import working_shape


def after(attack, height=512, width=768):
    """Geometry of a marked picture of the given size after an attack, from the attack's own matrix."""
    short = min(height, width)
    to_marked = translation(width / 2, height / 2) @ linear(short, 0, 0, short)
    to_attacked = attack.matrix(height, width).numpy() @ to_marked
    corners = attack.matrix(height, width).numpy() @ [[0, width], [0, height], [1, 1]]
    size = np.abs(np.diff(corners[:2])).ravel().round().astype(int)
    if isinstance(attack, Crop):
        size = np.array([round(width * attack.side), round(height * attack.side)])
    elif not isinstance(attack, QuarterTurn | Flip | Resize):
        size = np.array([width, height])
    rows, columns = (length // 2 for length in working_shape(size[1], size[0]))
    shrink = np.diag([columns / size[0], rows / size[1], 1.0])
    geometry = Geometry.of(shrink @ to_attacked @ np.diag([1 / 128, 1 / 128, 1]), (rows, columns), (size[1], size[0]))
    assert np.allclose(geometry.matrix, to_attacked, atol=1e-6)
    return geometry


def angle_between(first, second):
    return abs((first - second + 180) % 360 - 180)


def test_an_untouched_picture():
    geometry = after(Affine())
    assert not geometry.flipped
    values = geometry.rotation_degrees, geometry.scale, geometry.aspect, geometry.shift_x, geometry.shift_y
    assert values == pytest.approx((0, 1, 1, 0, 0), abs=1e-9)


@pytest.mark.parametrize("degrees", [30, -75, 135])
def test_turns_are_counter_clockwise(degrees):
    assert after(Rotate(degrees)).rotation_degrees == pytest.approx(degrees)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns(turns):
    geometry = after(QuarterTurn(turns))
    assert angle_between(geometry.rotation_degrees, 90 * turns) < 1e-6
    assert geometry.scale == pytest.approx(1, abs=0.002)


@pytest.mark.parametrize(("axis", "degrees"), [("horizontal", 0), ("vertical", 180)])
def test_flips(axis, degrees):
    geometry = after(Flip(axis))
    assert geometry.flipped
    assert angle_between(geometry.rotation_degrees, degrees) < 1e-6


def test_a_crop_enlarges_and_says_where_the_centre_went():
    geometry = after(Crop(0.5))
    assert geometry.scale == pytest.approx(2, rel=0.005)
    assert (geometry.shift_x, geometry.shift_y) == pytest.approx((0, 0), abs=1e-9)
    # the left top corner remains, so the marked picture's centre lies right and below: 192 and 128 of 512
    geometry = after(Crop(0.5, x=0, y=0))
    assert (geometry.shift_x, geometry.shift_y) == pytest.approx((192 / 512, 128 / 512), abs=1e-9)


def test_shifts_are_known_up_to_whole_tiles():
    # the centre moves by .7 tiles to the right, which reads as .3 to the left
    geometry = after(Affine(shift_x=0.7 * 512 / 768, shift_y=0.1))
    assert (geometry.shift_x, geometry.shift_y) == pytest.approx((-0.3, 0.1), abs=1e-9)


def test_resizing_does_not_show():
    geometry = after(Resize(0.5))
    assert (geometry.scale, geometry.aspect) == pytest.approx((1, 1), abs=0.003)


def test_stretching_shows_in_the_aspect():
    assert after(Affine(aspect=1.1)).aspect == pytest.approx(1.1)
    geometry = after(Resize(1.0, aspect=1.1))
    assert geometry.aspect == pytest.approx(1.1, rel=0.005)


@given(
    degrees=st.floats(-179.9, 179.9),
    flipped=st.booleans(),
    scale=st.floats(0.5, 4),
    aspect=st.floats(0.7, 1.4),
    position=st.tuples(st.floats(-0.49, 0.49), st.floats(-0.49, 0.49)),
)
def test_every_part_is_recovered(degrees, flipped, scale, aspect, position):
    height, width = 128, 190
    stretch = linear(scale / aspect**0.5, 0, 0, scale * aspect**0.5)
    mirror = linear(-1 if flipped else 1, 0, 0, 1)
    turned = rotation(degrees) @ stretch @ mirror
    matrix = centred(turned, height, width) @ translation(128 * position[0], 128 * position[1])
    geometry = Geometry.of(matrix, (height, width), (1280, 1900))
    assert geometry.flipped == flipped
    assert angle_between(geometry.rotation_degrees, degrees) < 1e-6
    assert geometry.scale == pytest.approx(scale)
    assert geometry.aspect == pytest.approx(aspect)
    assert (geometry.shift_x, geometry.shift_y) == pytest.approx(position, abs=1e-9)


@given(degrees=st.floats(-170, 170), tilt=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)))
def test_perspective_is_described_at_the_centre(degrees, tilt):
    """A tilt that leaves the centre and the directions there as they are changes no word, only the matrix."""
    perspective = np.eye(3)
    perspective[2, :2] = np.array(tilt) / 128
    matrix = centred(rotation(degrees), 128, 128) @ perspective
    geometry = Geometry.of(3.0 * matrix, (128, 128), (256, 256))
    assert angle_between(geometry.rotation_degrees, degrees) < 1e-6
    assert geometry.scale == pytest.approx(1)
    assert geometry.matrix[2][2] == 1


def test_the_eight_orientations_are_distinct_and_whole_and_begin_with_the_identity():
    assert np.array_equal(DIHEDRAL[0], np.eye(3))
    assert len({matrix.tobytes() for matrix in (item + 0.0 for item in DIHEDRAL)}) == 8
    for matrix in DIHEDRAL:
        assert np.array_equal(np.abs(matrix), np.abs(matrix).round())
        assert abs(np.linalg.det(matrix)) == pytest.approx(1)
