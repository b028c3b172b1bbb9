"""The parts of the speed suite: which cells, at which sizes.

A part takes a folder for its pictures, the calls of each cell and the limit of a call in seconds, and gives rows as
:mod:`.rounds` describes them; those of ``start-up`` have ``task``, ``reason`` and times only.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch

from benchmarks.methods import method_names
from benchmarks.speed.arrays import pixel_cells, word_cells
from benchmarks.speed.rounds import Cell, Row, peak_memory, quartiles, time_rounds
from benchmarks.speed.tasks import (
    BASELINE,
    OURS,
    Detect,
    Embed,
    PeerDetect,
    PeerEmbed,
    Recode,
    encode,
    marked_copy,
    photograph,
)
from watermark.registration.candidates import Search

SIZES = (768, 512), (4000, 3000)
MEGAPIXELS = 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0
_DEFAULT_THREADS = torch.get_num_threads()  # PyTorch's own number; `watermark embed` sets one in its process
_COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "python -c 'import watermark'": ("-c", "import watermark"),
    "watermark --version": ("-m", "watermark.cli.main", "--version"),
    "watermark detect, 768 x 512": ("-m", "watermark.cli.main", "detect"),
}


def four_to_three(megapixels: float) -> tuple[int, int]:
    """Width and height.

    Example:
        >>> four_to_three(12.0)
        (4000, 3000)
    """
    return round((megapixels * 4e6 / 3) ** 0.5), round((megapixels * 3e6 / 4) ** 0.5)


def write_host(folder: Path, width: int, height: int) -> Path:
    """An unmarked JPEG of some size in a folder."""
    path = folder / f"{width}x{height}.jpg"
    encode(photograph(height, width), path)
    return path


def own_cells(host: Path, width: int, height: int) -> list[Cell]:
    """The baseline and all that is ours."""
    cell = partial(Cell, width, height)
    marked = marked_copy(host, OURS)
    return [
        cell(BASELINE, "decode + encode", Recode(host)),
        cell(OURS, "embed", Embed(host)),
        *(cell(OURS, f"detect {search}", Detect(marked, search)) for search in get_args(Search)),
        cell(OURS, "detect full, unmarked", Detect(host, "full")),
    ]


def peer_cells(host: Path, width: int, height: int, peers: Sequence[str]) -> list[Cell]:
    """Marking and reading by each peer."""
    return [
        cell
        for name in peers
        for cell in (
            Cell(width, height, name, "embed", PeerEmbed(host, name)),
            Cell(width, height, name, "detect", PeerDetect(marked_copy(host, name), name)),
        )
    ]


def all_peers() -> list[str]:
    """Names of all registered methods but ours."""
    return [name for name in method_names() if name != OURS]


def decoded(folder: Path, repeats: int, limit: float) -> list[Row]:
    """Arrays in memory, beside one peer, with as many threads as PyTorch takes by itself."""
    tables = [*(pixel_cells(folder, width, height) for width, height in SIZES), word_cells(folder)]
    return [row for cells in tables for row in time_rounds(cells, repeats, limit, threads("decoded"))]


def files(folder: Path, repeats: int, limit: float) -> list[Row]:
    """Everybody, at two sizes."""
    rows = []
    for width, height in SIZES:
        host = write_host(folder, width, height)
        cells = own_cells(host, width, height) + peer_cells(host, width, height, all_peers())
        rows += time_rounds(cells, repeats, limit)
    return rows


def memory(folder: Path, repeats: int, limit: float) -> list[Row]:
    """Everybody, at two sizes, once; all read the unmarked file, where our search is longest."""
    rows = []
    for width, height in SIZES:
        host = write_host(folder, width, height)
        own = [cell for cell in own_cells(host, width, height) if cell.task.source == host]
        peers = [
            Cell(width, height, name, title, task(host, name))
            for name in all_peers()
            for title, task in (("embed", PeerEmbed), ("detect", PeerDetect))
        ]
        rows += peak_memory(own + peers, limit)
    return rows


def start_up(folder: Path, repeats: int, limit: float) -> list[Row]:
    """Whole processes, from start to end."""
    host = write_host(folder, *SIZES[0])
    Embed(host)()
    rows = []
    for title, arguments in _COMMANDS.items():
        files = [str(marked_copy(host, OURS))] if arguments[-1] == "detect" else []
        rows.append({"task": title, **time_process([sys.executable, *arguments, *files], repeats, limit)})
    return rows


def time_process(line: Sequence[str], repeats: int, limit: float) -> dict[str, Any]:
    """What a row says of a command line, after one run that warms the disk cache.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    milliseconds = []
    for _ in range(1 + repeats):
        started = time.perf_counter()
        try:
            subprocess.run(line, stdout=subprocess.DEVNULL, check=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return {"reason": f"took more than {limit:g} s"}
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {"reason": None, **quartiles(milliseconds[1:])}


def size(folder: Path, repeats: int, limit: float) -> list[Row]:
    """Ours and the baseline, from .1 to 100 megapixels."""
    rows = []
    for width, height in map(four_to_three, MEGAPIXELS):
        rows += time_rounds(own_cells(write_host(folder, width, height), width, height), repeats, limit)
    return rows


PARTS: dict[str, Callable[[Path, int, float], list[Row]]] = {
    "decoded": decoded,
    "files": files,
    "memory": memory,
    "start-up": start_up,
    "size": size,
}


def threads(part: str) -> int:
    """Threads of PyTorch and of OpenCV in a part: one, but PyTorch's default in ``decoded``, which has budgets."""
    return _DEFAULT_THREADS if part == "decoded" else 1
