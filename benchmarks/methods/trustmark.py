"""TrustMark (Adobe; Bui et al. 2023, arXiv:2311.18297) of the package ``trustmark``.

**Untested**: written after the package's README and CONFIG.md; its weights, which it fetches at first use, could not be
had. Its BCH code decides presence, and it states neither a score nor a p-value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any, ClassVar, Self

import numpy as np
from PIL import Image

from benchmarks.methods.base import Bits, MethodMissing, Pixels, Reading, gain, required


@dataclass(frozen=True)
class TrustMark:
    """Variant Q with BCH_5: 61 bits, five wrong ones of 100 corrected.

    Attributes:
        strength: nominal PSNR in dB; the package's own, 43 to 45 by its documentation, if ``None``.

    Raises:
        MethodMissing: the package is not installed.
    """

    strength: float | None = None

    name: ClassVar[str] = "trustmark"
    licence: ClassVar[str] = "MIT"
    note: ClassVar[str] = "variant Q, BCH_5; adapter untested; whether read or not is all its score says"
    message_bits: ClassVar[int] = 61
    smallest_side: ClassVar[int] = 150
    keyed: ClassVar[bool] = False
    blind: ClassVar[bool] = True

    def __post_init__(self) -> None:
        required("trustmark", self.name, "pip install trustmark; it fetches its weights at first use")

    @property
    def version(self) -> str:
        """Of the package."""
        return version("trustmark")

    def with_strength(self, db: float | None) -> Self:  # noqa: D102
        return replace(self, strength=db)

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:  # noqa: D102
        text = "".join(map(str, message))
        strength = gain(self.strength, native=44.0)
        marked = _model().encode(Image.fromarray(image), text, MODE="binary", WM_STRENGTH=strength)
        return np.array(marked.convert("RGB"))

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:  # noqa: D102
        text, present, _ = _model().decode(Image.fromarray(image), MODE="binary")
        bits = np.array([int(bit) for bit in text[: self.message_bits]], dtype=np.uint8) if present else None
        return Reading(present=bool(present), score=float(present), bits=bits, p=None)


@lru_cache(maxsize=1)
def _model() -> Any:
    import trustmark

    encoding = trustmark.TrustMark.Encoding.BCH_5
    try:
        return trustmark.TrustMark(verbose=False, model_type="Q", encoding_type=encoding)
    except OSError as error:
        raise MethodMissing(f"trustmark has no weights ({error}); let it fetch them once with a network") from error
