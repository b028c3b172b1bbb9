"""Grids of published benchmarks, so that rows measured here line up with published ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attacks.presets.meta import META
from attacks.presets.omniseal import OMNISEAL
from attacks.presets.preset import Preset, PresetRow
from attacks.presets.stirmark import STIRMARK
from attacks.presets.waves import WAVES
from attacks.presets.wbench import WBENCH

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (META, OMNISEAL, WBENCH, WAVES, STIRMARK)}
)

__all__ = ["PRESETS", "Preset", "PresetRow"]
