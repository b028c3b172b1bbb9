"""Attacks as JSON and as text, and back."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import fields
from typing import Any, Literal, Optional

import pytest
import torch

from attacks import ATTACKS, Attack, Chain, Crop, GaussianNoise, Jpeg, Perspective, PoissonNoise, plugins
from attacks.plain import defaults, from_plain, from_text, kind_name, parameters, to_plain, to_text


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_comes_back(name: str) -> None:
    entry = ATTACKS[name]
    for attack in (entry(), *(entry.sample(torch.Generator().manual_seed(seed)) for seed in range(5))):
        again = from_plain(json.loads(json.dumps(to_plain(attack), allow_nan=False)))
        assert again == attack
        assert repr(again) == repr(attack)  # 1 is not 1.0
        typed = {key: from_text(to_text(getattr(attack, key)), kind) for key, kind in parameters(entry).items()}
        assert repr(entry(**typed)) == repr(attack)
    assert list(parameters(entry)) == [field.name for field in fields(entry)]  # type: ignore[arg-type]
    assert entry(**defaults(entry)) == entry()


def test_plain_values_are_those_of_json() -> None:
    chain = Chain((Crop(0.5), PoissonNoise()))
    assert to_plain(chain) == {
        "name": "chain",
        "parameters": {
            "attacks": [
                {"name": "crop", "parameters": {"side": 0.5, "x": 0.5, "y": 0.5}},
                {"name": "poisson_noise", "parameters": {"photons": "inf", "seed": 0}},
            ]
        },
    }


def test_missing_parameters_have_their_defaults() -> None:
    assert from_plain({"name": "gaussian_noise", "parameters": {"sigma": 1}}) == GaussianNoise(1.0, 0)
    assert from_plain({"name": "crop"}, Crop) == Crop()


TEXTS: list[tuple[str, Any, Any]] = [
    ("50", int, 50),
    ("-5", float, -5.0),
    ("1e-3", float, 0.001),
    ("inf", float, math.inf),
    ("-inf", float, -math.inf),
    ("false", bool, False),
    ("50", str, "50"),
    ('"a" b', str, '"a" b'),
    ("true", str, "true"),
    ("4:2:0", Literal["4:2:0", "4:4:4"], "4:2:0"),
    ("2", Literal[1, 2], 2),
    ("0.5,-1", tuple[float, float], (0.5, -1.0)),
    ("[0.5, -1]", tuple[float, float], (0.5, -1.0)),
    ("1,2,3", tuple[int, ...], (1, 2, 3)),
    ("[1,2],[3]", tuple[tuple[int, ...], ...], ((1, 2), (3,))),
    ("[]", tuple[int, ...], ()),
    ("null", int | None, None),
    ("3", Optional[int], 3),  # noqa: UP045  # plug-ins may write so
    ('{"name": "crop", "parameters": {"side": 0.5}}', Attack, Crop(0.5)),
    ('{"name": "crop"}, {"name": "jpeg", "parameters": {"quality": 9}}', tuple[Attack, ...], (Crop(), Jpeg(9))),
]


@pytest.mark.parametrize(("text", "kind", "value"), TEXTS)
def test_texts(text: str, kind: Any, value: Any) -> None:
    read = from_text(text, kind)
    assert repr(read) == repr(value)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("0.5", int, "whole number"),
        ("true", int, "whole number"),
        ("1", bool, "true or false"),
        ("nan", float, "number"),
        ("NaN", float, "number"),
        ("true", float, "number"),
        ("'1'", float, "number"),
        ("4:1:1", Literal["4:2:0", "4:4:4"], "4:2:0|4:4:4"),
        ("1,2,3", tuple[float, float], "number,number"),
        ("1,x", tuple[int, ...], "whole number,..."),
        ("x", int | None, "whole number or null"),
        ('{"name": "jpeg"}', Perspective, "attack"),
        ('{"name": "jpeg", "quality": 5}', Attack, "attack"),
        ('[{"name": "jpeg", "parameters": []}]', tuple[Attack, ...], "attack"),
        ('[{"name": ["jpeg"]}]', tuple[Attack, ...], "attack"),
        ("1" + 400 * "0", float, "number"),
        (100_000 * "[", tuple[float, ...], "number,..."),
        ("true", Literal[1, 2], "1|2"),
        ("1.0", Literal[1, 2], "1|2"),
        ("x", bytes, "bytes"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, kind: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=r"expected .*, but .* came") as caught:
        from_text(text, kind)
    assert kind_name(kind) in str(caught.value)
    assert expected in kind_name(kind)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("kind", [Attack, Attack | None, tuple[Attack, ...]])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": "jpg"}', "no attack is named 'jpg'; did you mean 'jpeg'?"),
        ('{"name": "jpeg", "parameters": {"quality": 900}}', "jpeg: quality must be 1 to 100, but is 900"),
        ('{"name": "jpeg", "parameters": {"qality": 9}}', "jpeg takes quality, .*, but qality came"),
        ('{"name": "crop", "parameters": {"side": "x"}}', "crop: expected number, but 'x' came"),
        (150 * '{"name": "chain", "parameters": {"attacks": [' + 150 * "]}}", "recursion depth"),
    ],
)
def test_an_attack_that_is_named_says_what_is_wrong_with_it(text: str, kind: Any, reason: str) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(500)
    try:
        with pytest.raises(ValueError, match=reason):
            from_text(text, kind)
    finally:
        sys.setrecursionlimit(limit)


def test_a_broken_plugin_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_failures", [plugins.PluginError("acme is broken")])
    with pytest.raises(ValueError, match="acme is broken"):
        from_text('{"name": "acme"}', Attack)


def test_unknown_parameters_are_named() -> None:
    with pytest.raises(ValueError, match=r"jpeg takes quality, .*, but qality came"):
        from_plain({"name": "jpeg", "parameters": {"qality": 5}})
    with pytest.raises(ValueError, match="the name of an attack"):
        from_plain({"parameters": {}})
