"""Data-parallel training: processes started by ``torchrun`` share every batch and average their gradients."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from watermark.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Workers:
    """This process among those of a run; alone, everything here is immediate.

    Attributes:
        rank: number of this process; 0 writes the files.
        count: number of processes.
    """

    rank: int = 0
    count: int = 1

    def shares(self, batch: int, accumulate: int) -> list[slice]:
        """The micro-batches of this process, as slices of the whole batch, all of one size.

        Raises:
            SettingsError: the batch cannot be cut into equal parts.

        Example:
            >>> Workers(rank=1, count=2).shares(8, 2)
            [slice(4, 6, None), slice(6, 8, None)]
        """
        size, rest = divmod(batch, self.count * accumulate)
        if rest:
            raise SettingsError(
                f"batch must be a multiple of processes times accumulate, {self.count} x {accumulate}, but is {batch}"
            )
        first = self.rank * accumulate
        return [slice(part * size, (part + 1) * size) for part in range(first, first + accumulate)]

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their means over all processes, in one exchange."""
        if self.count == 1:
            return
        held = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in held])
        dist.all_reduce(flat)
        parts = (flat / self.count).split([tensor.numel() for tensor in held])
        for tensor, part in zip(held, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def average_gradients(self, *parts: nn.Module) -> None:
        """Average the gradients that the parts of a model have."""
        gradients = (parameter.grad for part in parts for parameter in part.parameters())
        self.average([gradient for gradient in gradients if gradient is not None])

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def join_workers(device: str) -> Iterator[tuple[Workers, str]]:
    """Join the processes that ``torchrun`` started, by NCCL on GPUs and gloo otherwise.

    Args:
        device: where to compute; ``cuda`` becomes the GPU of this process.

    Yields:
        This process among them, and its device.
    """
    if not dist.is_torchelastic_launched():
        yield Workers(), device
        return
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Workers(dist.get_rank(), dist.get_world_size()), device
    finally:
        dist.destroy_process_group()
