"""The trained whole: generator, decoder, spectral envelopes; loaded from safetensors and a JSON card.

The card states what the numbers are (architecture, training command, data, metrics, licence) and the
SHA-256 of the weights, which is checked before they are used.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from watermark.carriers import ENVELOPE_BINS
from watermark.errors import WeightsError
from watermark.files import write_atomically
from watermark.nets.decoder import Decoder
from watermark.nets.generator import Generator
from watermark.visibility import visibility_map

RELEASE = Path(__file__).parent.parent / "weights" / "release.safetensors"
# Root mean square of the visibility map over photographs (geometric mean over the training photographs), in
# units of luma; it makes "strength" the mean PSNR over photographs.
TYPICAL_VISIBILITY = 0.033


class Model(nn.Module):
    """All that training learns.

    Args:
        generator_channels: width of the generator.
        decoder_channels: width of the decoder.
        decoder_blocks: depth of the decoder.
        pilot_share: share of the pattern's energy given to the pilot tones.
    """

    def __init__(
        self,
        generator_channels: int = 32,
        decoder_channels: int = 48,
        decoder_blocks: int = 3,
        pilot_share: float = 0.2,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "generator_channels": generator_channels,
            "decoder_channels": decoder_channels,
            "decoder_blocks": decoder_blocks,
            "pilot_share": pilot_share,
        }
        self.pilot_share = pilot_share
        self.generator = Generator(generator_channels)
        self.decoder = Decoder(decoder_channels, decoder_blocks)
        self.log_transmit = nn.Parameter(torch.zeros(ENVELOPE_BINS))
        self.log_receive = nn.Parameter(torch.zeros(ENVELOPE_BINS))

    @property
    def transmit(self) -> Tensor:
        """Transmit weight of each radial bin, positive, shape (16,)."""
        return self.log_transmit.exp()

    @property
    def receive(self) -> Tensor:
        """Receive weight of each radial bin, positive, shape (16,)."""
        return self.log_receive.exp()

    def residual(self, luma: Tensor, pattern: Tensor, strength: Tensor) -> Tensor:
        """What embedding adds to the working-size luma.

        Args:
            luma: working-size luma in [0, 1], shape (B, 1, H, W), H and W multiples of 8.
            pattern: tiled pattern of unit mean square, same shape.
            strength: mean PSNR over photographs in dB, shape (B,); higher is quieter.

        Returns:
            Residual in units of luma, same shape as ``luma``.
        """
        allowed = visibility_map(luma)
        shaped: Tensor = allowed * self.generator(luma, pattern)
        # the generator moves energy about but adds none: the image's PSNR is that of the plain pattern
        energy = allowed.square().mean((1, 2, 3)) / shaped.square().mean((1, 2, 3)).clamp_min(1e-12)
        factor = 10 ** (-strength / 20) / TYPICAL_VISIBILITY * energy.sqrt()
        return factor.view(-1, 1, 1, 1) * shaped

    def estimate(self, luma: Tensor) -> Tensor:
        """Residual estimate (B, 1, H / 2, W / 2) from luma (B, 1, H, W) in [0, 1]; see :class:`Decoder`."""
        estimate: Tensor = self.decoder(luma)
        return estimate


def save_model(model: Model, path: Path, card: dict[str, Any]) -> None:
    """Write the weights to ``path`` and their card beside it (suffix ``.json``), each atomically."""
    data = save({name: value.contiguous() for name, value in model.state_dict().items()})
    complete = {"architecture": model.architecture, "sha256": hashlib.sha256(data).hexdigest(), **card}
    write_atomically(path, data)
    write_atomically(path.with_suffix(".json"), (json.dumps(complete, indent=2) + "\n").encode())


def load_card(path: Path = RELEASE) -> dict[str, Any]:
    """The card of the weights at ``path``.

    Raises:
        WeightsError: there is no readable card.
    """
    try:
        card = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"cannot read the model card {path.with_suffix('.json')}, which belongs beside its weights: {error}"
        ) from error
    if not isinstance(card, dict):
        raise WeightsError(f"the model card {path.with_suffix('.json')} must be a JSON object; install it again")
    return card


@lru_cache(maxsize=4)
def load_model(path: Path = RELEASE) -> Model:
    """The model at ``path``, in evaluation mode, shared and not to be changed.

    Raises:
        WeightsError: file or card missing, hash or shapes wrong.
    """
    card = load_card(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read the weights {path}: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != card.get("sha256"):
        raise WeightsError(f"{path} has SHA-256 {found}, but its card says {card.get('sha256')}; install it again")
    try:
        with torch.inference_mode(False):  # whoever fills the cache: shaping takes gradients through it
            model = Model(**card["architecture"])
            model.load_state_dict(load(data))
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its card: {error}") from error
    model.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model
