"""What ``watermark bench run`` measures: a tier or a preset, as its options change it."""

from __future__ import annotations

from dataclasses import replace

from attacks.presets import PRESETS
from benchmarks.runner.tiers import TIERS, Tier
from watermark.errors import UsageError


def choose_tier(tier: str | None, preset: str | None, megapixels: float | None, keys: int | None) -> Tier:
    """The tier that the options of these names ask for; ``None`` is an option not given.

    Raises:
        UsageError: not exactly one of tier and preset is given, or keys where the tier has no use for them.
    """
    if tier is not None and preset is None:
        chosen = TIERS[tier]
    elif preset is not None and tier is None:
        chosen = Tier.of_preset(PRESETS[preset])
    else:
        raise UsageError("give what to measure by exactly one of --tier NAME and --preset NAME")
    if megapixels is not None:
        chosen = replace(chosen, megapixels=megapixels)
    if keys is not None and not chosen.strangers:
        raise UsageError(f"a run of {chosen.name} reads under no keys of nobody; smoke and forensic do")
    return chosen if keys is None else replace(chosen, strangers=keys)
