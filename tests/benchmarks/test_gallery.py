"""The gallery of attacks: that its page is of the present registry, and that its pictures show what they say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attacks import ATTACKS, Knowledge
from benchmarks.enemy import embedding, public_knowledge
from benchmarks.envelope import to_pixels
from benchmarks.gallery import FAMILIES, HEIGHT, LOUD, WIDTH, example, members, page, pictured, sheet
from watermark import Detector, Key, Payload

GALLERY = Path(__file__).parent.parent.parent / "docs" / "gallery"
OWN = [name for name, entry in ATTACKS.items() if entry.__module__.startswith("attacks.")]


@pytest.mark.parametrize("name", OWN)
def test_the_page_has_every_attack_with_its_facts(name: str) -> None:
    facts = ATTACKS[name].facts
    (_, section) = (GALLERY / "README.md").read_text().split(f"## {facts.family.capitalize()}\n")
    assert f"![{facts.family}]({facts.family}.jpg)" in section
    (line,) = [line for line in section.split("\n## ")[0].splitlines() if line.startswith(f"| `{name}` |")]
    _, _, _, unit, gradient, resizes, needs, _ = [cell.strip() for cell in line.split("|")]
    assert (unit, gradient, needs) == (facts.unit, facts.gradient, ", ".join(facts.needs))
    assert resizes == {True: "yes", False: "no"}[facts.resizes]


def test_the_page_is_as_generated_now() -> None:
    """Run ``python -m benchmarks.gallery`` after a change of the registry or of what is shown."""
    assert (GALLERY / "README.md").read_text() == page()


def test_every_attack_that_needs_no_weights_has_its_picture() -> None:
    assert sorted(name for family in FAMILIES for name in members(family)) == OWN
    unpictured = {name for family in FAMILIES for name in set(members(family)) - set(pictured(family))}
    assert unpictured == {"diffusion_regeneration", "vae_regeneration"}
    for family in FAMILIES:
        with Image.open(GALLERY / f"{family}.jpg") as picture:
            rows = -(-(len(pictured(family)) + 1) // 4)
            assert picture.size == (990, rows * 159 + 6)
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 700_000
    assert {path.name for path in GALLERY.iterdir()} == {"README.md", *(f"{family}.jpg" for family in FAMILIES)}


def test_loud_examples_are_no_draws() -> None:
    for name, attack in LOUD.items():
        assert example(name) is attack
        assert attack != ATTACKS[name].sample(torch.Generator().manual_seed(1))


def test_pictures_stand_where_their_names_are() -> None:
    rows, columns = torch.meshgrid(torch.linspace(0, 1, HEIGHT), torch.linspace(0, 1, WIDTH), indexing="ij")
    image = torch.stack([rows, columns, 0.5 * rows + 0.5 * columns])[None]
    knowledge = Knowledge(embed=lambda images: 1 - images)
    data = sheet(image, ["flip", "quarter_turn", "overwrite", "brightness"], knowledge)
    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.array(picture).astype(float)
    assert pixels.shape == (2 * 159 + 6, 990, 3)

    def cell(row: int, column: int) -> np.ndarray:
        top, left = 6 + 159 * row, 6 + 246 * column
        return pixels[top : top + HEIGHT, left : left + WIDTH]

    shown = image[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(cell(0, 0) - shown).mean() < 2
    assert np.abs(cell(0, 1) - shown[:, ::-1]).mean() < 2
    turned = cell(0, 2)  # upright: its height of 240 is reduced to 135
    assert turned[:, :70].min() > 240
    assert turned[:, -70:].min() > 240
    assert turned[60:70, 100:140].max() < 240
    gain = example("overwrite").gain  # type: ignore[attr-defined]
    assert np.abs(cell(0, 3) - np.clip(shown + gain * (255 - 2 * shown), 0, 255)).mean() < 3
    factor = example("brightness").factor  # type: ignore[attr-defined]
    assert np.abs(cell(1, 0) - np.clip(shown * factor, 0, 255)).mean() < 2
    assert cell(1, 1)[:, 10:].min() > 250  # no sixth cell


def test_the_enemy_has_an_embedder_and_a_score() -> None:
    host = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25
    payload = Payload.from_text("hi")
    marked = embedding(Key.open(), payload)(host)
    assert Detector().detect(to_pixels(marked), search="none").payload == payload
    knowledge = public_knowledge(marked, marked)
    assert (knowledge.host, knowledge.marked) == (None, marked)
    assert knowledge.embed is not None
    assert knowledge.score is not None
    scores = knowledge.score(torch.cat([marked, host]))
    assert scores[0] > scores[1]
    assert float(knowledge.score(marked)) == pytest.approx(float(scores[0]), rel=1e-4)  # each image by itself
