"""The stored results are of the released weights: pages join them, and no page says of which weights they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watermark.nets.model import RELEASE, load_card

RESULTS = sorted((Path(__file__).parents[2] / "benchmarks" / "results").glob("*.json"))
STATED = {path.stem: stated for path in RESULTS if (stated := json.loads(path.read_text()).get("weights_sha256"))}


@pytest.mark.parametrize("name", STATED)
def test_a_stored_result_is_of_the_released_weights(name: str) -> None:
    assert STATED[name] == load_card(RELEASE)["sha256"]


def test_those_that_depend_on_weights_state_them() -> None:
    assert {"envelope-standard", "envelope-others", "equal-bytes", "enemies"} <= set(STATED)
