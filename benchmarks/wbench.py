"""What W-Bench published of three peers, and the messages they may have carried.

Lu et al., "Robust Watermarking Using Generative Priors Against Image Editing", ICLR 2025, arXiv 2410.18775; repository
Shilin-LU/VINE. The encoding of the peers is not published. Which message they carried is stated only as 100 bits, said
to be of all baselines, in ``vine/src/watermark_decoding_wbench.py``; they begin with the ASCII text ``Hello``. That a
method of 30 bits took the first 30 is an inference.

What speaks against it: a method that has lost the mark may give 0 for every bit, and then the accuracy is the share of
zeros. At JPEG 10 dwtDctSvd does so here for every picture: 16/30 = 0.533, but 0.463 is published, near 14/30. Hence
``inverted``: the same bits inverted, which changes the number of zeros and keeps which neighbours are alike.
"""

from __future__ import annotations

import numpy as np

from attacks.presets import PRESETS
from benchmarks.methods import Bits

# Mean bit accuracy over 1000 pictures; Shilin-LU/VINE:data_release, CSV "[Distortion Measure]". The settings of a
# family stand in the order of the preset ``wbench``.
PUBLISHED: dict[str, dict[str, tuple[float, ...]]] = {
    "dwtDct": {
        "blurring": (0.6695, 0.4943, 0.4899, 0.4904, 0.4912),
        "brightness": (0.8667, 0.8156, 0.5915, 0.4520, 0.4611),
        "compression": (0.4921, 0.4951, 0.4916, 0.4921, 0.4996),
        "contrast": (0.8663, 0.8175, 0.6608, 0.4598, 0.4519),
        "noise": (0.8627, 0.8401, 0.7114, 0.5055, 0.4123),
    },
    "dwtDctSvd": {
        "blurring": (1.0, 0.7681, 0.5704, 0.5099, 0.4877),
        "brightness": (0.6450, 0.5926, 0.5504, 0.5529, 0.5163),
        "compression": (0.4631, 0.5357, 0.5030, 0.7543, 0.8569),
        "contrast": (0.6675, 0.6200, 0.5504, 0.5603, 0.5494),
        "noise": (1.0, 0.9994, 0.9974, 0.9735, 0.7310),
    },
    "rivaGan": {
        "blurring": (0.9986, 0.9785, 0.7766, 0.5791, 0.5192),
        "brightness": (0.9981, 0.9959, 0.9913, 0.9842, 0.9740),
        "compression": (0.6505, 0.8679, 0.9496, 0.9815, 0.9931),
        "contrast": (0.9982, 0.9969, 0.9937, 0.9885, 0.9811),
        "noise": (0.9986, 0.9973, 0.9881, 0.9581, 0.9081),
    },
}
PUBLISHED_PSNR = {"dwtDct": 40.46, "dwtDctSvd": 40.40, "rivaGan": 40.43}  # dB
MESSAGES = ("stated", "inverted")


def published(method: str) -> dict[str, float]:
    """Published mean bit accuracy by label of the preset's rows."""
    left = {family: iter(values) for family, values in PUBLISHED[method].items()}
    return {row.label: next(left[row.family]) for row in PRESETS["wbench"].rows}


def message(name: str, bits: int) -> Bits:
    """One of :data:`MESSAGES`: the first bits of the ASCII text ``Hello``, the highest of a byte first, or inverted.

    Args:
        name: ``stated`` or ``inverted``.
        bits: how many, up to 40.

    Example:
        >>> [int(message(name, 30).sum()) for name in MESSAGES]
        [14, 16]
    """
    stated = np.unpackbits(np.frombuffer(b"Hello", dtype=np.uint8))[:bits]
    return 1 - stated if name == "inverted" else stated


def drawn_message(seed: int, ones: int = 16, bits: int = 30) -> Bits:
    """A random message with that many ones."""
    return np.random.default_rng(seed).permutation((np.arange(bits) < ones).astype(np.uint8))
