"""Training pictures: random luma crops from tar shards or from any folder of images."""

from __future__ import annotations

import csv
import hashlib
import io
import tarfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from attacks.base import uniform
from watermark.errors import SettingsError

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif"}
_LARGEST_SIDE = 2048  # larger pictures are reduced on reading: crops are 256 px
_VALIDATION_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where one picture lies: a file, or a stretch of a tar shard."""

    path: Path
    name: str
    group: str
    offset: int | None = None
    size: int = 0

    def read(self) -> bytes:
        if self.offset is None:
            return self.path.read_bytes()
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class Pictures:
    """All pictures under a folder: those inside its tar shards, and its image files at any depth.

    A ``manifest.csv`` (columns ``name``, ``source_repo``, ``source_path``), if there, says which pictures
    come from one source, so that none is split between training and validation.

    Args:
        folder: folder of shards or images.
        validation: whether to take the validation part (about 2 % of the sources) or the rest.
        cache_bytes: decoded luma kept in memory, in bytes.

    Raises:
        SettingsError: the folder holds no picture.
    """

    def __init__(self, folder: Path, *, validation: bool = False, cache_bytes: int = 2 << 30) -> None:
        entries = [entry for entry in _scan(folder) if _is_validation(entry.group) == validation]
        if not entries:
            raise SettingsError(f"{folder} must hold tar shards or images, but none were found; check --data")
        self._entries = entries
        self._cache: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._cached = 0

    def __len__(self) -> int:
        return len(self._entries)

    def luma(self, index: int) -> NDArray[np.uint8]:
        """Luma of one picture, uint8 of shape (H, W), at most 2048 pixels a side."""
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        entry = self._entries[index]
        try:
            with Image.open(io.BytesIO(entry.read())) as picture:
                picture.draft("L", (_LARGEST_SIDE, _LARGEST_SIDE))
                grey = picture.convert("L")
        except UnidentifiedImageError as error:  # whose own words are those of the object in memory
            raise SettingsError(
                f"the training picture {entry.name} is no image that Pillow knows; remove it"
            ) from error
        except (Image.DecompressionBombError, OSError, ValueError) as error:
            raise SettingsError(f"cannot read the training picture {entry.name}: {error}; remove it") from error
        grey.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
        luma = np.asarray(grey)
        self._cache[index] = luma
        self._cached += luma.nbytes
        while self._cached > self._cache_bytes:
            _, dropped = self._cache.popitem(last=False)
            self._cached -= dropped.nbytes
        return luma

    def crop(self, index: int, generator: torch.Generator, size: int) -> NDArray[np.uint8]:
        """A random crop of one picture: 60 to 100 % of its short side, aspect within 10 %, flipped at random.

        Returns:
            uint8 array of shape (size, size).
        """
        luma = self.luma(index)
        height, width = luma.shape
        side = min(height, width) * uniform(generator, 0.6, 1.0)
        aspect = uniform(generator, 0.91, 1.1)
        rows, columns = min(height, round(side * min(1, aspect))), min(width, round(side * min(1, 1 / aspect)))
        top = int(uniform(generator, 0, height - rows + 1))
        left = int(uniform(generator, 0, width - columns + 1))
        part = luma[top : top + rows, left : left + columns]
        kernel = cv2.INTER_AREA if rows > size else cv2.INTER_CUBIC
        part = np.asarray(cv2.resize(part, (size, size), interpolation=kernel), dtype=np.uint8)
        for axis in (0, 1):
            if torch.rand((), generator=generator) < 0.5:
                part = np.flip(part, axis)
        return part.T if torch.rand((), generator=generator) < 0.5 else part

    def batch(self, step: int, size: int, count: int, seed: int, part: slice = slice(None)) -> Tensor:
        """The batch of a step or a part of it, the same for the same arguments whatever was drawn before.

        Args:
            step: number of the batch; each pass over the pictures is in an order of its own.
            size: side of the crops in pixels.
            count: images in the batch.
            seed: seed of the run.
            part: which of them to return; every crop has a seed of its own.

        Returns:
            Luma in [0, 1], shape (count or as many as are in ``part``, 1, size, size).
        """
        orders: dict[int, NDArray[np.int64]] = {}
        crops = []
        for position in range(step * count, (step + 1) * count)[part]:
            epoch, place = divmod(position, len(self))
            if epoch not in orders:
                orders[epoch] = np.random.default_rng(derive_seed(seed, "order", epoch)).permutation(len(self))
            generator = torch.Generator().manual_seed(derive_seed(seed, "crop", position))
            crops.append(self.crop(int(orders[epoch][place]), generator, size))
        return torch.from_numpy(np.stack(crops)).unsqueeze(1).float() / 255


def derive_seed(seed: int, purpose: str, number: int) -> int:
    """An independent 63-bit seed for one purpose and number of a run."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose} {number}".encode()).digest()[:8]) >> 1


def _scan(folder: Path) -> list[_Entry]:
    groups: dict[str, str] = {}
    manifest = folder / "manifest.csv"
    if manifest.exists():
        with manifest.open(newline="") as file:
            for row in csv.DictReader(file):
                if row.keys() >= {"name", "source_repo", "source_path"}:
                    groups[row["name"]] = f"{row['source_repo']} {row['source_path']}"
    entries = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix.lower() in _SUFFIXES:
            entries.append(_Entry(path, name, groups.get(name, name)))
        elif path.suffix == ".tar":
            try:
                with tarfile.open(path) as shard:
                    members = [member for member in shard if member.isfile()]
            except (tarfile.TarError, OSError) as error:
                raise SettingsError(f"cannot read the shard {path}: {error}; remove it") from error
            entries += [
                _Entry(path, member.name, groups.get(member.name, member.name), member.offset_data, member.size)
                for member in members
                if Path(member.name).suffix.lower() in _SUFFIXES
            ]
    return entries


def _is_validation(group: str) -> bool:
    return hashlib.sha256(group.encode(errors="surrogateescape")).digest()[0] < 256 * _VALIDATION_SHARE
