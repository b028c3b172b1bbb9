"""Informed enemies of the toolkit itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage import data
from torch import Tensor

from attacks import Copy, GradientAttack, Knowledge, Overwrite
from watermark import Detector, Embedder, Key, Payload
from watermark.nets.model import load_model
from watermark.working import Pixels

PAYLOAD, OTHER_PAYLOAD = Payload.from_hex("0123456789abcdef"), Payload.from_hex("fedcba9876543210")
KEY, OTHER_KEY = Key(bytes(range(32))), Key(bytes(range(32, 64)))


def pixels(image: Tensor) -> Pixels:
    """The first image in whole grey levels, H x W x 3."""
    return (image[0].permute(1, 2, 0) * 255).round().byte().contiguous().numpy()


def tensor(picture: Pixels) -> Tensor:
    """A picture of 8 bits a channel as (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def host() -> Pixels:
    """A photograph."""
    return np.ascontiguousarray(data.astronaut()[:320, 96:416])


@pytest.fixture(scope="module")
def marked(host: Pixels) -> Pixels:
    """The photograph with the first key's mark."""
    result = Embedder(KEY).embed(host, PAYLOAD)
    assert result.read_back
    return result.pixels


def test_a_second_mark_reads_beside_the_first(marked: Pixels) -> None:
    """Overwriting removes nothing: the carriers of two keys hardly meet."""
    second = Embedder(OTHER_KEY)

    def embed(images: Tensor) -> Tensor:
        return torch.cat([tensor(second.embed(pixels(image[None]), OTHER_PAYLOAD).pixels) for image in images])

    overwritten = pixels(Overwrite().apply(tensor(marked), Knowledge(embed=embed)))
    assert Detector(OTHER_KEY).detect(overwritten, search="none").payload == OTHER_PAYLOAD
    assert Detector(KEY).detect(overwritten, search="none").payload == PAYLOAD


def test_who_has_a_pair_can_copy_the_mark(host: Pixels, marked: Pixels) -> None:
    innocent = np.ascontiguousarray(data.coffee()[40:360, 150:470])
    detector = Detector(KEY)
    assert not detector.detect(innocent, search="none").present
    forged = pixels(Copy().apply(tensor(innocent), Knowledge(marked=tensor(marked), host=tensor(host))))
    assert detector.detect(forged, search="none").payload == PAYLOAD


def test_the_public_decoder_lets_an_enemy_without_the_key_weaken_the_mark(marked: Pixels) -> None:
    """Four grey levels against the decoder's own estimate: the weights are public, the mark need not be known."""
    model = load_model()

    def estimate(images: Tensor) -> Tensor:
        luma = (images * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
        return model.estimate(F.interpolate(luma, (256, 256), mode="area"))

    image = tensor(marked)
    with torch.no_grad():
        mark = estimate(image)
    score = Knowledge(score=lambda images: (estimate(images) * mark).sum((1, 2, 3)))
    attacked = pixels(GradientAttack(4.0, 10, 1.0).apply(image, score))
    assert np.abs(attacked.astype(int) - marked).max() <= 4
    before, after = (Detector(KEY).detect(picture, search="none") for picture in (marked, attacked))
    assert before.payload == PAYLOAD
    assert after.score < before.score / 2
