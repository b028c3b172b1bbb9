"""The training loop: seeded, resumable at every checkpoint, metrics as JSON lines.

A step draws everything random from (seed, step), so a resumed run repeats an unbroken one.
"""

from __future__ import annotations

import copy
import io
import json
import math
import pickle
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.jpeg import Jpeg
from attacks.resize import resize
from attacks.warp import scaling, translation, warp
from watermark.carriers import CODE_BITS, TILE_SAMPLES, Carriers, analyse, synthesise
from watermark.errors import SettingsError
from watermark.files import write_atomically
from watermark.nets.discriminator import Discriminator
from watermark.nets.model import Model, save_model
from watermark.payload.keys import Key
from watermark.training.curriculum import Curriculum, attack_views, draw_zoom
from watermark.training.data import Pictures, derive_seed
from watermark.training.losses import adversarial_loss, bit_loss, discriminator_loss, pilot_loss
from watermark.training.settings import TrainingSettings
from watermark.visibility import visible_contrast
from watermark.working import WORKING_SIZE

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
_CRITIC_WINS = 0.95  # accuracy of the discriminator above which it learns no further, lest it collapse the run


class Report(Protocol):
    """Called with each line of metrics."""

    def __call__(self, metrics: dict[str, Any]) -> None: ...  # noqa: D102


class Trainer:
    """One run of training.

    Args:
        settings: all knobs.
        data: folder of tar shards or images.
        output: folder for checkpoint, metrics and weights; made if missing.
        device: where to compute.
    """

    def __init__(self, settings: TrainingSettings, data: Path, output: Path, device: str = "cpu") -> None:
        self.settings, self.output, self.device = settings, output, torch.device(device)
        self.pictures = Pictures(data)
        self.held_out = Pictures(data, validation=True) if _has_validation(data) else self.pictures
        torch.manual_seed(derive_seed(settings.seed, "weights", 0))
        self.model = Model(
            settings.generator_channels, settings.decoder_channels, settings.decoder_blocks, settings.pilot_share
        )
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.discriminator = Discriminator()
        self.discriminator.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        envelopes = [self.model.log_transmit, self.model.log_receive]
        others = [*self.model.generator.parameters(), *self.model.decoder.parameters()]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": others, "factor": 1.0},
                {"params": envelopes, "factor": settings.envelope_learning_rate, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
        )
        self.critic_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=settings.discriminator_learning_rate, betas=(0.5, 0.99)
        )
        self.curriculum = Curriculum(settings.strength_start)
        self.step = 0
        self.phases = [{"from_step": 0, "settings": asdict(settings)}]
        output.mkdir(parents=True, exist_ok=True)

    def run(self, report: Report | None = None) -> Path:
        """Train to the end, writing metrics and checkpoints, then the weights.

        Args:
            report: called with each line of metrics, as a dictionary.

        Returns:
            Path of the weights.
        """
        started, first = time.monotonic(), self.step
        with (self.output / METRICS).open("a") as log:
            while self.step < self.settings.steps:
                metrics = self._train_step()
                self.step += 1
                if self.step % self.settings.validate_every == 0:
                    metrics |= self.validate()
                if self.step % self.settings.log_every == 0 or self.step == self.settings.steps:
                    rate = (self.step - first) * self.settings.batch / (time.monotonic() - started)
                    line = {
                        "step": self.step,
                        "images": self.step * self.settings.batch,
                        **metrics,
                        "images_per_second": round(rate, 2),
                    }
                    log.write(json.dumps(line) + "\n")
                    log.flush()
                    if report is not None:
                        report(line)
                if self.step % self.settings.checkpoint_every == 0 or self.step == self.settings.steps:
                    self.save()
        weights = self.output / "model.safetensors"
        save_model(self.average, weights, {"training": {"steps": self.step, "phases": self.phases}})
        return weights

    def _rate(self) -> float:
        """Learning rate factor: flat for half of the run, then cosine."""
        progress = self.step / self.settings.steps
        return 1.0 if progress < 0.5 else 0.5 * (1 + math.cos(math.pi * (2 * progress - 1)))

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bf16)

    def _train_step(self) -> dict[str, Any]:
        settings, curriculum = self.settings, self.curriculum
        generator = torch.Generator().manual_seed(derive_seed(settings.seed, "step", self.step))
        views = self.pictures.batch(self.step, settings.crop, settings.batch, settings.seed).to(self.device)
        bits = torch.randint(2, (settings.batch, CODE_BITS), generator=generator).float()
        carriers = _random_carriers(generator).to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = settings.learning_rate * group["factor"] * self._rate()

        marked, hosts, residual, place = self._embed(self.model, views, bits, carriers, generator)
        attacked, matrices = attack_views(marked, generator, curriculum.level)
        soft, pilot = self._read(self.model, attacked, place @ torch.linalg.inv(matrices), carriers, generator)
        losses = {
            "bits": bit_loss(soft, bits.to(soft)),
            "pilot": settings.pilot_weight * pilot_loss(pilot),
            "visibility": settings.visibility_weight * visible_contrast(hosts, residual).mean(),
        }
        metrics: dict[str, Any] = {}
        adversary = (
            self.step >= settings.adversarial_start * settings.steps and self.step % settings.adversarial_every == 0
        )
        if adversary:
            with self._autocast():
                critic_loss, critic_accuracy = discriminator_loss(self.discriminator, hosts, hosts + residual)
            self.critic_optimiser.zero_grad()
            critic_loss.backward()
            critic_norm = torch.nn.utils.clip_grad_norm_(self.discriminator.parameters(), 1.0)
            if torch.isfinite(critic_norm) and critic_accuracy < _CRITIC_WINS:
                self.critic_optimiser.step()
            with self._autocast():
                losses["adversary"] = settings.adversarial_weight * adversarial_loss(
                    self.discriminator, hosts + residual
                )
            metrics["discriminator_accuracy"] = round(float(critic_accuracy), 4)
        total = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimiser.step()
        self._update_average()

        accuracy = float(((soft > 0) == (bits.to(soft) < 0.5)).float().mean())
        curriculum.update(accuracy, settings)
        psnr = -10 * torch.log10((marked - views).square().mean((1, 2, 3)).clamp_min(1e-10)).mean()
        return {
            **{name: round(value.item(), 5) for name, value in losses.items()},
            "bit_accuracy": round(accuracy, 4),
            "running_accuracy": round(curriculum.accuracy, 4),
            "psnr": round(psnr.item(), 2),
            "strength": round(curriculum.strength, 2),
            "level": round(curriculum.level, 3),
            "gradient_norm": round(float(norm), 4),
            **metrics,
        }

    def _embed(
        self, model: Model, views: Tensor, bits: Tensor, carriers: Carriers, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mark views that show a part of a larger picture.

        Returns:
            Marked views; hosts and residuals at the working size; the matrix from view pixels to tile samples.
        """
        settings, size = self.settings, self.settings.crop
        zoom = draw_zoom(generator, self.curriculum.level)
        part = max(64, round(size / zoom / 8) * 8)  # side of the view at the working size
        zoom = size / part
        hosts = resize(views, part, part)
        amplitudes = (1 - 2 * bits).to(views)
        coefficients = carriers.modulate(amplitudes, model.transmit, model.pilot_share)
        tile = synthesise(coefficients, WORKING_SIZE).unsqueeze(1)
        left, top = (int(torch.randint(WORKING_SIZE, (), generator=generator)) for _ in range(2))
        if part == WORKING_SIZE:
            left = top = 0  # the whole tile
        pattern = tile.roll((-top, -left), (2, 3))[:, :, :part, :part]
        spread = torch.rand(settings.batch, generator=generator) * 2 - 1
        strength = (self.curriculum.strength + settings.strength_spread * spread).to(views)
        with self._autocast():
            residual = model.residual(hosts, pattern, strength)
        enlarged = residual
        if part != size:
            enlarged = F.interpolate(residual, (size, size), mode="bicubic", align_corners=False)
        marked = (views + enlarged).clamp(0, 1)
        rounded = torch.round(marked * 255) / 255
        marked = marked + (rounded - marked).detach()
        return marked, hosts, residual, scaling(0.5, 0.5) @ translation(left, top) @ scaling(1 / zoom, 1 / zoom)

    def _read(
        self, model: Model, attacked: Tensor, place: Tensor, carriers: Carriers, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Soft bits and pilot responses of attacked views whose geometry is known but for a little jitter.

        ``place`` maps attacked pixels to tile samples, shape (B, 3, 3); what lies beyond the tile's edge is
        folded back, so the tile is first warped onto a canvas of 2 x 2 tiles.
        """
        with self._autocast():
            estimate = model.estimate(attacked)
        jitter = torch.stack(
            [
                translation(*(torch.rand(2, generator=generator).sub(0.5) * 0.5).tolist())
                @ scaling(*(1 + torch.rand(2, generator=generator).sub(0.5) * 0.004).tolist())
                for _ in range(len(attacked))
            ]
        )
        canvas = warp(estimate, jitter @ place @ scaling(2, 2), 2 * TILE_SAMPLES, 2 * TILE_SAMPLES)
        folded = canvas.unflatten(3, (2, -1)).unflatten(2, (2, -1)).sum((2, 4)).squeeze(1)
        soft, _, pilot = carriers.demodulate(analyse(folded), model.receive)
        return soft, pilot

    def _update_average(self) -> None:
        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)

    @torch.no_grad()
    def validate(self) -> dict[str, Any]:
        """Bit accuracy of the averaged weights on held-out pictures, at the target strength.

        Returns:
            Accuracy clean, after JPEG 50 and after the full attack mix, and the visible contrast.
        """
        generator = torch.Generator().manual_seed(derive_seed(self.settings.seed, "validation", 0))
        state, self.curriculum = self.curriculum, Curriculum(self.settings.strength_target)
        views = self.held_out.batch(0, self.settings.crop, self.settings.batch, 0).to(self.device)
        bits = torch.randint(2, (len(views), CODE_BITS), generator=generator).float()
        carriers = _random_carriers(generator).to(self.device)
        marked, hosts, residual, place = self._embed(self.average, views, bits, carriers, generator)
        self.curriculum = state
        identity = torch.eye(3, dtype=torch.float64).expand(len(views), 3, 3)
        mixed = attack_views(marked, generator, 1.0)
        cases = {"clean": (marked, identity), "jpeg50": (Jpeg(50).apply(marked), identity), "mixed": mixed}
        result: dict[str, Any] = {}
        for name, (attacked, matrices) in cases.items():
            soft, _ = self._read(self.average, attacked, place @ torch.linalg.inv(matrices), carriers, generator)
            correct = ((soft > 0) == (bits.to(soft) < 0.5)).float().mean(1)
            result[f"validation_{name}"] = round(float(correct.mean()), 4)
            result[f"validation_{name}_worst"] = round(float(correct.min()), 4)
        result["validation_visible_contrast"] = round(float(visible_contrast(hosts, residual).mean()), 4)
        return result

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        buffer = io.BytesIO()
        torch.save(
            {
                "step": self.step,
                "phases": self.phases,
                "curriculum": asdict(self.curriculum),
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "discriminator": self.discriminator.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "critic_optimiser": self.critic_optimiser.state_dict(),
            },
            buffer,
        )
        write_atomically(self.output / CHECKPOINT, buffer.getvalue())

    def resume(self) -> None:
        """Continue from the checkpoint in the output folder; with other settings, this begins a new phase.

        Raises:
            SettingsError: there is none, or it is of a run with other networks.
        """
        path = self.output / CHECKPOINT
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.discriminator.load_state_dict(state["discriminator"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.critic_optimiser.load_state_dict(state["critic_optimiser"])
            self.curriculum = Curriculum(**state["curriculum"])
            self.step = state["step"]
            self.phases = state["phases"]
        except (OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError, pickle.UnpicklingError) as error:
            raise SettingsError(f"cannot resume from {path}: {error}; start without --resume") from error
        self._forget_later_metrics()
        if self.phases[-1]["settings"] != asdict(self.settings):
            self.phases.append({"from_step": self.step, "settings": asdict(self.settings)})

    def _forget_later_metrics(self) -> None:
        """Cut lines of metrics after the checkpoint: their steps will be repeated."""
        path = self.output / METRICS
        if path.exists():
            lines = path.read_text().splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            write_atomically(path, "".join(kept).encode())


def _random_carriers(generator: torch.Generator) -> Carriers:
    """Carriers of a fresh key, so that the networks learn no key."""
    secret = torch.randint(256, (32,), generator=generator).tolist()
    return Carriers.from_key(Key(bytes(secret)))


def _has_validation(data: Path) -> bool:
    try:
        Pictures(data, validation=True)
    except SettingsError:
        return False
    return True
