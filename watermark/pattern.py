"""The plain mark: bits to a residual, before anything is shaped to the picture but by the generator."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from watermark.carriers import Carriers, synthesise
from watermark.nets.model import Model
from watermark.working import WORKING_SIZE, Luma


@torch.inference_mode()
def plain_residual(
    model: Model, carriers: Carriers, luma: Luma, amplitudes: NDArray[np.float32], strength: float
) -> Luma:
    """Residual of a mark at the working size.

    Args:
        model: weights that write it.
        carriers: of the key.
        luma: of the host at the working size, in [0, 1], shape (H, W), both even.
        amplitudes: signed amplitude of each channel bit, positive for 0, shape (256,).
        strength: mean PSNR over photographs in dB; higher is quieter.

    Returns:
        Float32 in units of luma, shape (H, W).
    """
    height, width = luma.shape
    margin = (0, -width % 8, 0, -height % 8)
    coefficients = carriers.modulate(torch.from_numpy(amplitudes)[None], model.transmit, model.pilot_share)
    pattern = F.pad(_tiled(synthesise(coefficients, WORKING_SIZE), height, width), margin, mode="replicate")
    padded = F.pad(torch.from_numpy(luma)[None, None], margin, mode="replicate")
    residual = model.residual(padded, pattern, torch.tensor([strength]))
    return residual[0, 0, :height, :width].contiguous().numpy()


def _tiled(tile: Tensor, height: int, width: int) -> Tensor:
    """Repeat the tile (1, 256, 256) over an area of even size around its centre, shape (1, 1, height, width)."""
    rows, columns = (
        (torch.arange(length) - length // 2 + WORKING_SIZE // 2) % WORKING_SIZE for length in (height, width)
    )
    return tile[:, rows][:, :, columns].unsqueeze(1)
