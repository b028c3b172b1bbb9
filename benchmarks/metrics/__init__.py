"""Metrics, each once: pure functions on arrays and plain numbers. ``docs/metrics.md`` defines them all.

::

    decoding          outcome of a reading, bit accuracy, capacity
    detection         operating points at a false-positive rate, AUC
    false_positives   the worst key
    intervals         Wilson, Clopper-Pearson, bootstrap
    paired            McNemar, Wilcoxon
    quality           PSNR, SSIM, MS-SSIM, CIEDE2000, local error
    perceptual        FLIP, LPIPS: optional packages
    registry          the quality metrics by name, with unit and direction
    registered        PSNR and visible share of an attacked picture
    damage            fixed damage scale and Q@P
"""
