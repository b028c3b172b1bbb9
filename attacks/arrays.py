"""Between tensors and the arrays of OpenCV and scikit-image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def each_array(image: Tensor, function: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Tensor:
    """Run a function on one image after the other; no gradient passes.

    Args:
        image: in [0, 1], shape (B, C, H, W).
        function: of float32 arrays of shape (H, W, C) in [0, 1], contiguous, of its own to change; returns the same
            shape, or (H, W) where C = 1.

    Returns:
        What it gave, clipped to [0, 1], in the image's shape and type.
    """
    arrays = image.detach().permute(0, 2, 3, 1).float().cpu().numpy()
    results = [np.reshape(function(np.array(array, order="C")), array.shape) for array in arrays]
    return torch.from_numpy(np.stack(results)).permute(0, 3, 1, 2).clamp(0, 1).to(image)
