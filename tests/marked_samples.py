"""Pictures to mark, and attacks on arrays."""

from __future__ import annotations

import numpy as np
import torch
from skimage import data

from watermark import Payload

PAYLOAD = Payload.from_text("testmark")
PICTURES = {
    "astronaut": lambda: data.astronaut()[:384, 40:500],  # 384 x 460
    "camera": data.camera,  # 512 x 512, grey
    "coffee": data.coffee,  # 400 x 600
    "chelsea": data.chelsea,  # 300 x 451
}


def attacked(attack, pixels):
    """``pixels`` after one of the attacks, which know float tensors."""
    colour = pixels if pixels.ndim == 3 else pixels[..., None]
    image = torch.from_numpy(colour).permute(2, 0, 1)[None].float() / 255
    result = (attack.apply(image)[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return np.ascontiguousarray(result if pixels.ndim == 3 else result[..., 0])
