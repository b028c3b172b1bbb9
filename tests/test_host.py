"""Which of several ways of shaping a picture gets: when each is tried, and when it is taken."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from skimage import data

from watermark import host as module
from watermark.carriers import Carriers
from watermark.embed import _TARGETS
from watermark.host import LOUDEST, Host
from watermark.nets.model import load_model
from watermark.payload.keys import Key
from watermark.shaping import BALANCED, FOR_BRIGHTENING, FOR_SMOOTHING

SIGNS = np.random.default_rng(3).choice([-1.0, 1.0], 256).astype(np.float32)
STANDARD = _TARGETS["standard"]


@cache
def host(name):
    photograph = {"under a sky": data.coffee, "bright": data.chelsea, "plain": data.coffee}[name]().copy()
    if name == "under a sky":
        photograph[:200] = 100
    if name == "bright":
        photograph = np.clip(0.9 * photograph + 70, 0, 255).astype(np.uint8)
    return Host(load_model(), Carriers.from_key(Key.open()), photograph, SIGNS)


SHAPED = Host.shaped


@cache
def shaped(name, course):
    start = host(name)._quietest(host(name).plain(LOUDEST), STANDARD.energy)
    return SHAPED(host(name), start, course)


@pytest.fixture
def tried(monkeypatch):
    """Courses that were shaped, none twice for one picture."""
    courses = []

    def remembered(self, strength, course=BALANCED):
        courses.append(course)
        return shaped(next(name for name in ("under a sky", "bright", "plain") if host(name) is self), course)

    monkeypatch.setattr(Host, "shaped", remembered)
    return courses


def test_a_picture_that_stands_everything_is_shaped_once(tried):
    mark = host("plain").adapted(STANDARD)
    assert tried == [BALANCED]
    assert host("plain")._wrong(mark, module._SMOOTHED) <= STANDARD.most_wrong


def test_where_webp_erases_the_sky_a_mark_shaped_for_it_costs_less(tried):
    scene = host("under a sky")
    taken, before = scene.adapted(STANDARD), scene._acceptable(shaped("under a sky", BALANCED), STANDARD)
    assert tried == [BALANCED, FOR_SMOOTHING]
    assert scene._wrong(taken, module._SMOOTHED) <= STANDARD.most_wrong
    assert scene._loss(taken) < 0.7 * scene._loss(before)


def test_a_mark_shaped_for_webp_is_left_where_it_saves_little(tried, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_SHAPING", 0.1)
    scene = host("under a sky")
    assert scene.adapted(STANDARD).loudest is shaped("under a sky", BALANCED).loudest
    assert tried == [BALANCED, FOR_SMOOTHING]


def test_it_is_taken_at_any_price_allowed_where_nothing_else_reads(tried, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_SHAPING", 0.1)
    monkeypatch.setattr(module, "_MOST_LOSS", 0.2)  # too little for the first mark
    scene = host("under a sky")
    assert scene.adapted(STANDARD).loudest is shaped("under a sky", FOR_SMOOTHING).loudest
    assert tried == [BALANCED, FOR_SMOOTHING]


def test_a_mark_shaped_for_brightening_reads_better_after_it_at_the_same_cost():
    scene = host("bright")
    wrong = []
    for course in (BALANCED, FOR_BRIGHTENING):
        mark = shaped("bright", course)
        wrong.append(scene._wrong(mark.at(scene._loudest_at(mark, STANDARD.loss)), module._BRIGHTENED))
    assert wrong[1] < wrong[0] - 0.04


@pytest.mark.parametrize(
    ("hopeless", "enough", "courses", "taken"),
    [
        (0.35, 0.26, [BALANCED, FOR_BRIGHTENING], FOR_BRIGHTENING),
        (0.35, 0.11, [BALANCED, FOR_BRIGHTENING], BALANCED),  # tried, and not worth it
        (0.25, 0.26, [BALANCED], BALANCED),  # too far from reading to be tried
    ],
)
def test_a_bright_picture_is_shaped_for_brightening_where_that_makes_it_read(
    tried, monkeypatch, hopeless, enough, courses, taken
):
    monkeypatch.setattr(module, "_HOPELESS", hopeless)
    monkeypatch.setattr(module, "_MOST_WRONG_ONCE_SHAPED", enough)
    scene = host("bright")
    mark = scene.adapted(STANDARD)
    assert tried == courses
    assert mark.loudest is shaped("bright", taken).loudest
    assert scene._loss(mark) <= 1.2 * STANDARD.loss
