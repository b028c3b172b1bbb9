"""The watch: when a run is in trouble, and when its state is worth keeping."""

from __future__ import annotations

from watermark.training.watch import Watch


def test_skips_are_trouble_only_in_a_row(tiny):
    settings, watch = tiny(max_skips=3), Watch()
    for _ in range(5):
        watch.skip()
        watch.skip()
        assert watch.trouble(0.9, settings) is None
        assert not watch.is_good(0.9, settings)
        watch.take(0.9, settings)
        assert watch.is_good(0.9, settings)
    for _ in range(3):
        watch.skip()
    assert watch.trouble(0.9, settings).startswith("3 steps in a row")
    assert watch.skipped == 13


def test_the_curriculum_may_take_the_accuracy_down_to_its_gate_and_not_much_further(tiny):
    settings, watch = tiny(accuracy_gate=0.8, max_drop=0.1), Watch()
    watch.take(0.99, settings)
    assert watch.trouble(0.71, settings) is None
    assert watch.is_good(0.76, settings)
    assert not watch.is_good(0.74, settings)
    assert "fell to 0.69, from a best of 0.80" in watch.trouble(0.69, settings)


def test_a_run_that_never_reached_the_gate_is_held_to_its_own_best(tiny):
    settings, watch = tiny(accuracy_gate=0.8, max_drop=0.1), Watch()
    for accuracy in (0.5, 0.7, 0.65):
        watch.take(accuracy, settings)
    assert watch.trouble(0.61, settings) is None
    assert watch.trouble(0.59, settings)
