"""Shared pictures."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from skimage import data
from torch import Tensor


def _tensor(picture: object) -> Tensor:
    return torch.as_tensor(picture).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """A photograph in colour, shape (1, 3, 128, 160), whole grey levels."""
    return _tensor(data.astronaut()[40:168, 150:310].copy())


@pytest.fixture(scope="session")
def odd_photo() -> Tensor:
    """A photograph in colour of odd sides, shape (1, 3, 101, 67), whole grey levels."""
    return _tensor(data.coffee()[150:251, 200:267].copy())


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Stable Diffusion pipeline with few random weights; skips where its libraries are not installed."""
    if any(find_spec(name) is None for name in ("diffusers", "transformers")):
        pytest.skip("diffusers and transformers, the extra regeneration, are not installed")
    from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("diffusion")
    ends = ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(ends)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    text = CLIPTextConfig(
        vocab_size=2,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=4,
        bos_token_id=0,
        eos_token_id=1,
    )
    torch.manual_seed(3)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=4,
    )
    unet = UNet2DConditionModel(
        sample_size=64,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 8),
        norm_num_groups=4,
        layers_per_block=1,
        cross_attention_dim=8,
        attention_head_dim=2,
    )
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    StableDiffusionPipeline(
        vae,
        CLIPTextModel(text),
        CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=4),
        unet,
        scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder
