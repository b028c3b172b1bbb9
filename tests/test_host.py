"""Which of several ways of shaping a picture gets: when each is tried, and when it is taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from skimage import data

from watermark import Embedder, Payload, host
from watermark.carriers import Carriers
from watermark.embed import _TARGETS
from watermark.host import LOUDEST, Host, Mark
from watermark.nets.model import load_model
from watermark.payload.keys import Key
from watermark.shaping import BALANCED, FOR_BRIGHTENING, FOR_SMOOTHING

SIGNS = np.random.default_rng(3).choice([-1.0, 1.0], 256).astype(np.float32)
STANDARD = _TARGETS["standard"]
LIMIT = 45.0  # strength, of all marks in the scripted cases


def under_a_sky():
    picture = data.coffee()
    picture[:200] = 100
    return picture


def bright():
    return np.clip(0.9 * data.chelsea() + 70, 0, 255).astype(np.uint8)


@cache
def scene(make):
    return Host(load_model(), Carriers.from_key(Key.open()), make(), SIGNS)


shaped = cache(Host.shaped)


@pytest.fixture
def tried(monkeypatch):
    """The strengths that were asked for and the marks that came, by course."""
    marks = {}

    def remembered(self, strength, course=BALANCED):
        marks[course] = strength, shaped(self, strength, course)
        return marks[course][1]

    monkeypatch.setattr(Host, "shaped", remembered)
    return marks


def test_a_picture_that_stands_everything_is_shaped_once(tried):
    mark = scene(data.coffee).adapted(STANDARD)
    assert list(tried) == [BALANCED]
    assert scene(data.coffee)._wrong(mark, host._SMOOTHED) <= STANDARD.most_wrong


def test_where_webp_erases_the_sky_a_mark_shaped_for_it_costs_less(tried):
    sky = scene(under_a_sky)
    mark = sky.adapted(STANDARD)
    (start, first), (again, second) = tried[BALANCED], tried[FOR_SMOOTHING]
    assert start == again
    assert (first.strength, second.strength) == (start, start - FOR_SMOOTHING.louder)
    assert mark.loudest is second.loudest
    assert sky._wrong(mark, host._SMOOTHED) <= STANDARD.most_wrong
    assert sky._loss(mark) < 0.7 * sky._loss(sky._acceptable(first, STANDARD))


def test_a_mark_shaped_for_brightening_reads_better_after_it_at_the_same_cost():
    picture, wrong = scene(bright), []
    for course in (BALANCED, FOR_BRIGHTENING):
        mark = shaped(picture, 42.0, course)
        wrong.append(picture._wrong(mark.at(picture._strength_at(mark, STANDARD.loss)), host._BRIGHTENED))
    assert wrong[1] < wrong[0] - 0.02


def test_marks_of_any_course_are_the_same_on_every_run_and_thread(monkeypatch):
    courses, shape = [], host.shaped
    monkeypatch.setattr(host, "shaped", lambda *given: courses.append(given[-1]) or shape(*given))
    picture = np.ascontiguousarray(under_a_sky()[100:360, 100:440])
    embedder, payload = Embedder(), Payload.from_text("sky")
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: embedder.embed(picture, payload), range(2))
    assert courses.count(FOR_SMOOTHING) == 2
    assert np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("shape", [(199, 400), (201, 805)])
def test_a_picture_that_cannot_be_shaped_is_adapted_once(monkeypatch, shape):
    adapted = []
    acceptable = Host._acceptable
    monkeypatch.setattr(Host, "_acceptable", lambda *given: adapted.append(acceptable(*given)) or adapted[-1])
    monkeypatch.setattr(Host, "_reads_smoothed", lambda *given: False)
    pixels = np.ascontiguousarray(np.hstack(2 * [data.coffee()])[: shape[0], : shape[1]])
    picture = Host(load_model(), Carriers.from_key(Key.open()), pixels, SIGNS)
    assert picture.adapted(STANDARD) is adapted[0]
    assert adapted[0].strength > LOUDEST
    assert len(adapted) == 1


FINE = (47.0, 0.1, 0.1, 0.1)  # strength, quality loss, share of wrong bits after WebP and when brightened
DEAR, LOST, WHITE = (44.0, 0.25, 0.1, 0.1), (47.0, 0.1, 0.3, 0.1), (47.0, 0.1, 0.1, 0.25)


@pytest.mark.parametrize(
    ("first", "second", "tried", "taken"),
    [
        (FINE, None, None, BALANCED),
        (DEAR, (42.0, 0.19, 0.1, 0.4), FOR_SMOOTHING, FOR_SMOOTHING),
        (DEAR, (42.0, 0.21, 0.1, 0.1), FOR_SMOOTHING, BALANCED),  # saves too little
        (DEAR, (42.0, 0.15, 0.19, 0.1), FOR_SMOOTHING, BALANCED),  # and does not read
        (LOST, (42.0, 0.45, 0.18, 0.1), FOR_SMOOTHING, FOR_SMOOTHING),
        (LOST, (42.0, 0.15, 0.19, 0.1), FOR_SMOOTHING, BALANCED),
        ((LOUDEST, *LOST[1:]), None, None, BALANCED),  # beyond help
        (WHITE, (41.0, 0.18, 0.18, 0.125), FOR_BRIGHTENING, FOR_BRIGHTENING),
        (WHITE, (41.0, 0.18, 0.18, 0.13), FOR_BRIGHTENING, BALANCED),
        (WHITE, (41.0, 0.18, 0.19, 0.125), FOR_BRIGHTENING, BALANCED),
        ((47.0, 0.1, 0.1, 0.24), None, None, BALANCED),
        ((47.0, 0.1, 0.1, 0.31), None, None, BALANCED),  # too far from reading
    ],
)
def test_a_longer_course_is_tried_and_taken_where_it_helps(monkeypatch, first, second, tried, taken):
    outcomes, courses = {BALANCED: first, tried: second}, []
    marks = {
        course: Mark(np.full((1, 1), index), outcomes[course][0]) for index, course in enumerate(outcomes) if course
    }

    def outcome(mark, of):
        return next(outcomes[course][of] for course, made in marks.items() if made.loudest is mark.loudest)

    monkeypatch.setattr(Host, "shaped", lambda self, strength, course=BALANCED: courses.append(course) or marks[course])
    monkeypatch.setattr(Host, "_acceptable", lambda self, mark, *rest: mark)
    monkeypatch.setattr(Host, "_quietest_with", lambda self, mark, energy: 50.0)
    monkeypatch.setattr(Host, "_strength_at", lambda self, mark, loss: LIMIT)
    monkeypatch.setattr(Host, "_loss", lambda self, mark: outcome(mark, 1))
    monkeypatch.setattr(
        Host, "_wrong", lambda self, mark, reference: outcome(mark, 2 if reference is host._SMOOTHED else 3)
    )
    mark = scene(data.coffee).adapted(STANDARD)
    assert mark.loudest is marks[taken].loudest
    # one shaped for brightening is as loud as it may be while many bits are wrong, others as loud as they came
    assert mark.strength == (LIMIT if taken is FOR_BRIGHTENING else outcomes[taken][0])
    assert courses == [course for course in (BALANCED, tried) if course]


@pytest.mark.parametrize(("loss", "again"), [(0.2, False), (0.21, True)])
def test_what_costs_little_is_not_shaped_longer_even_where_less_was_asked_for(monkeypatch, loss, again):
    courses = []
    mark = Mark(np.zeros((1, 1)), 44.0)
    monkeypatch.setattr(Host, "shaped", lambda self, strength, course=BALANCED: courses.append(course) or mark)
    monkeypatch.setattr(Host, "_acceptable", lambda self, mark, *rest: mark)
    monkeypatch.setattr(Host, "_strength_at", lambda self, mark, loss: LIMIT)
    monkeypatch.setattr(Host, "_loss", lambda self, mark: loss)
    monkeypatch.setattr(Host, "_wrong", lambda self, mark, reference: 0.1)
    scene(data.coffee).adapted(_TARGETS["low"])
    assert (FOR_SMOOTHING in courses) is again


def test_a_mark_louder_than_its_limit_is_judged_as_loud_as_it_is(monkeypatch):
    """WebP made it loud, so it reads when brightened; at its limit it would not."""
    judged = []
    monkeypatch.setattr(Host, "shaped", lambda self, strength, course=BALANCED: Mark(np.zeros((1, 1)), 44.0))
    monkeypatch.setattr(Host, "_acceptable", lambda self, mark, *rest: mark)
    monkeypatch.setattr(Host, "_strength_at", lambda self, mark, loss: LIMIT)
    monkeypatch.setattr(Host, "_loss", lambda self, mark: 0.19)
    monkeypatch.setattr(Host, "_wrong", lambda self, mark, reference: judged.append(mark.strength) or 0.1)
    scene(data.coffee).adapted(STANDARD)
    assert set(judged) == {44.0}
