"""Attacks that other distributions offer, in a process of its own so that this one's registry stays as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import make_dataclass
from pathlib import Path

import pytest

import attacks
from attacks import plugins
from attacks.base import Attack, Facts, Registry

ROOT = Path(attacks.__file__).parent.parent
INVERT = """
from dataclasses import dataclass
from attacks import ATTACKS, Attack, register

assert "jpeg" in ATTACKS and "acme_none" not in ATTACKS  # plug-ins may look around

@register({name!r}, family="valuemetric", unit="none", gradient="exact")
@dataclass(frozen=True)
class Invert(Attack):
    amount: float = 1.0

    @classmethod
    def sample(cls, generator, level=1.0):
        return cls(level)

    def apply(self, image):
        return image + self.amount * (1 - 2 * image)
"""


def install(folder: Path, name: str, code: str, value: str) -> None:
    """What pip leaves of a distribution with one module and one entry point."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[watermark.attacks]\nmine = {value}\n")


SCRIPT = """
import sys, torch
from attacks import ATTACKS, Jpeg, plugins

assert ATTACKS["jpeg"] is Jpeg  # what the library has costs no search
print("acme_module" in sys.modules)
for _ in range(2):
    try:
        print(list(ATTACKS))
    except plugins.PluginError as error:
        print(error, "|", type(error.__cause__).__name__)
print(ATTACKS["jpeg"] is Jpeg, float(ATTACKS["acme_one"]().apply(torch.full((1, 1, 1, 1), 0.25))))
plugins._failures.clear()  # as if acme_bad had never been there
print([name for name in ATTACKS if "acme" in name], len(ATTACKS) == len(list(ATTACKS)), ATTACKS["acme_two"].__name__)
"""


def test_plugins_are_found_and_those_that_fail_are_named(tmp_path: Path) -> None:
    install(tmp_path, "acme_bad", INVERT.format(name="jpeg"), "acme_bad:Invert")
    install(tmp_path, "acme_module", INVERT.format(name="acme_one"), "acme_module")
    install(tmp_path, "acme_class", INVERT.format(name="acme_two"), "acme_class:Invert")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded, first, second, apart, listed = done.stdout.splitlines()
    assert loaded == "False"
    assert first == second
    assert first == (
        "the attacks that acme_bad offers as 'mine' (acme_bad:Invert) cannot be loaded: ValueError: an attack named "
        "'jpeg' is registered already; choose another name; update or uninstall acme_bad | ValueError"
    )
    assert apart == "True 0.75"
    assert listed == "['acme_one', 'acme_two'] True Invert"


def test_a_registry_asks_for_more_only_when_it_must() -> None:
    asked = []
    registry = Registry(lambda: asked.append(1))
    registry.add(attacks.Brightness)
    assert registry["brightness"] is attacks.Brightness
    assert not asked
    assert "jpeg" not in registry
    assert asked == [1]
    assert list(registry) == ["brightness"]
    assert len(asked) > 1


def odd(kind: object, default: object, parameter: str = "amount") -> type[Attack]:
    made = make_dataclass("Odd", [(parameter, kind, default)], bases=(Attack,), frozen=True)
    made.facts = Facts(name="odd", family="valuemetric", unit="none", gradient="none")  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (odd("Nowhere", 1.0), "parameters of 'odd' cannot be told: name 'Nowhere' is not defined"),
        (odd(bytes, b"x"), "default of 'amount' of 'odd' is nothing that JSON holds"),
        (odd(tuple, (1, ("a", 1j))), "default of 'amount' of 'odd'"),
        *((odd(str, "", name), f"parameter '{name}'") for name in ("name", "source", "target", "sample")),
        *((odd(bool, False, name), f"parameter '{name}'") for name in ("force", "listed", "as_json")),
    ],
)
def test_what_cannot_be_offered_is_not_registered(entry: type[Attack], reason: str) -> None:
    registry = Registry()
    with pytest.raises(ValueError, match=reason):
        registry.add(entry)
    assert list(registry) == []


def test_plain_parameters_are_registered() -> None:
    registry = Registry()
    registry.add(odd(tuple[object, ...], (None, True, 1, 0.5, "x", attacks.Flip())))
    assert list(registry) == ["odd"]


def test_one_thread_searches_and_the_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    searches, done = [], []

    def search() -> list[plugins.PluginError]:
        searches.append(threading.get_ident())
        plugins.load_plugins()  # as a plug-in does that looks into the registry
        time.sleep(0.1)
        done.append(len(searches))
        return []

    monkeypatch.setattr(plugins, "_failures", None)
    monkeypatch.setattr(plugins, "_load", search)
    seen = []

    def look() -> None:
        plugins.load_plugins()
        seen.append(list(done))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(searches) == 1
    assert seen == [[1]] * 3
