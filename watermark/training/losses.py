"""Losses of training: bits, pilot, visibility, adversary."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from watermark.nets.discriminator import Discriminator
from watermark.perception import quality_loss

_GAIN = 1.7  # soft bits of unit noise to log-likelihood ratios, at the signal-to-noise where bits start to read
SHORT_SIDE = 512  # of the pictures that training views stand for, in pixels
_PENALTY = 1e-3  # a hundredth of the hinge once patches are told apart; at 1.6 (measured), they never were


def bit_loss(soft: Tensor, bits: Tensor) -> Tensor:
    """Binary cross entropy of each image's soft bits.

    Args:
        soft: soft bits, positive for 0, unit variance where there is no mark, shape (B, 256).
        bits: sent bits, 0 or 1, shape (B, 256).

    Returns:
        Shape (B,); ln 2 for silent soft bits, 0.98 on average for noise of unit variance.
    """
    return F.softplus(-_GAIN * soft * (1 - 2 * bits)).mean(1)


def pilot_loss(pilot: Tensor) -> Tensor:
    """Logistic loss of the tones' responses, shape (B, 48); falls as each rises above the noise."""
    return F.softplus(2 - pilot).mean()


def visibility_loss(hosts: Tensor, residual: Tensor) -> Tensor:
    """Logarithm of the quality loss, whose slope is the same at every strength.

    Args:
        hosts: unmarked luma at the working size, in [0, 1], shape (B, 1, H, W).
        residual: what is added to it, same shape.

    Returns:
        Shape (B,).
    """
    return quality_loss(hosts, residual, SHORT_SIDE).log()


def discriminator_loss(discriminator: Discriminator, hosts: Tensor, marked: Tensor) -> tuple[Tensor, Tensor]:
    """Hinge loss with a gradient penalty on the unmarked pictures (R1, Mescheder et al. 2018), mean over their pixels.

    Args:
        discriminator: scores patches, high for unmarked.
        hosts: unmarked luma, shape (B, 1, H, W).
        marked: marked luma, same shape; detached here.

    Returns:
        The loss and the share of patches judged rightly.
    """
    hosts = hosts.detach().requires_grad_(True)
    real, fake = discriminator(hosts), discriminator(marked.detach())
    (gradient,) = torch.autograd.grad(real.sum(), hosts, create_graph=True)
    loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean() + _PENALTY * gradient.square().mean()
    accuracy = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
    return loss, accuracy.detach()


def adversarial_loss(discriminator: Discriminator, marked: Tensor) -> Tensor:
    """The generator's side of the hinge: minus the mean score of marked luma (B, 1, H, W)."""
    scores: Tensor = discriminator(marked)
    return -scores.mean()
