"""Any program as a method, so that one need not be in Python to take part.

A TOML file describes it; this one spells out the defaults::

    name = "mine"                                       # required
    program = "./mine"                                  # required; looked up beside the file, then on the PATH
    message_bits = 64                                   # required
    embed = ["{program}", "embed", "{in}", "{out}", "--message", "{message}", "--key", "{key}"]
    detect = ["{program}", "detect", "{in}", "--key", "{key}"]
    version = ""                                        # shown with the SHA-256 of program and description, shortened
    licence = "unknown"
    note = ""
    keyed = true
    blind = true
    smallest_side = 1
    limit_s = 60.0
    strength = 42.0                                     # no default: with it, {strength} may be used

``{in}`` and ``{out}`` are PNG files of 8-bit RGB. ``{message}`` and ``{key}`` are hexadecimal; a message's first bit is
the highest of its first byte, and zero bits fill the last byte. ``{strength}`` is in dB. Other processes of the machine
see the key on the command line: it is one of the benchmark's own.

Finished jobs are measured again when program or description changes. What the program reads or calls, such as a script,
a library or weights, is not looked at: after a change of it, change ``version`` or run with ``--refresh``.

``detect`` prints one JSON object: ``{"present": true, "score": 3.5, "bits": "0123456789abcdef", "p": 1e-9}``, where
``bits`` and ``p`` may be null. With ``blind = false`` only ``bits`` counts, and a claimed message decides
(:mod:`.claims`).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import signal
import subprocess
import tempfile
import tomllib
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from benchmarks.methods.base import Bits, MethodError, MethodMissing, Pixels, Reading
from benchmarks.methods.claims import compared
from watermark.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Command:
    """A method that is a program.

    Attributes:
        program: path or name of the executable.
        embed_arguments: its command line to mark a picture, placeholders in braces.
        detect_arguments: its command line to read one.
        limit_s: seconds that either may take.
        strength: its own nominal strength in dB, if it has one.
        chosen: another strength in dB; not part of a description.
    """

    name: str
    program: str
    message_bits: int
    embed_arguments: tuple[str, ...] = (
        "{program}",
        "embed",
        "{in}",
        "{out}",
        "--message",
        "{message}",
        "--key",
        "{key}",
    )
    detect_arguments: tuple[str, ...] = ("{program}", "detect", "{in}", "--key", "{key}")
    version: str = ""
    licence: str = "unknown"
    note: str = ""
    keyed: bool = True
    blind: bool = True
    smallest_side: int = 1
    limit_s: float = 60.0
    strength: float | None = None
    chosen: float | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """The method that a TOML file describes.

        Raises:
            UsageError: the file cannot be read or describes none.
            MethodMissing: its program is not there.
        """
        try:
            described = path.read_bytes()
            description = tomllib.loads(described.decode())
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read the description {path}: {error}") from error
        known = {field.name.removesuffix("_arguments"): field for field in fields(cls) if field.name != "chosen"}
        for name in sorted(description.keys() - known.keys()):
            raise UsageError(f"{path}: {name!r} is not known; known are {', '.join(known)}")
        for name, field in known.items():
            if field.default is MISSING and name not in description:
                raise UsageError(f"{path}: {name!r} is missing")
        values: dict[str, Any] = {}
        for name, value in description.items():
            values[known[name].name] = _checked(name, value, str(known[name].type), path)
        beside = path.parent / values["program"]
        program = str(beside.resolve()) if beside.is_file() else shutil.which(values["program"])
        if program is None or not os.access(program, os.X_OK):
            raise MethodMissing(f"{path}: {values['program']!r} is no program that can be run")
        sha256 = hashlib.sha256(hashlib.sha256(described).digest() + Path(program).read_bytes()).hexdigest()
        version = f"{values['version']} ({sha256[:12]})" if values.get("version") else sha256[:12]
        return cls(**{**values, "version": version, "program": program})

    def with_strength(self, db: float | None) -> Self:  # noqa: D102
        if db is not None and self.strength is None:
            raise MethodError(f"{self.name} has one strength only; its description gives no 'strength'")
        return replace(self, chosen=db)

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:  # noqa: D102
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "in.png"), Path(folder, "out.png")
            save_png(image, source)
            self._run(
                self.embed_arguments,
                {"in": source, "out": target, "message": np.packbits(message).tobytes().hex(), "key": key.hex()},
            )
            return read_marked(target, image, self.name)

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:  # noqa: D102
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "in.png")
            save_png(image, source)
            printed = self._run(self.detect_arguments, {"in": source, "key": key.hex()})
        try:
            answer = json.loads(printed)
            bits = self._bits(answer["bits"])
            if not self.blind:
                if bits is None:
                    raise ValueError("bits are null")
                return compared(bits, claimed)
            if not isinstance(answer["present"], bool):
                raise TypeError("present is neither true nor false")
            p = None if answer["p"] is None else float(answer["p"])
            reading = Reading(present=answer["present"], score=float(answer["score"]), bits=bits, p=p)
        except (ValueError, KeyError, TypeError) as error:
            raise MethodError(
                f"{self.name}: detect must print an object with present, score, bits and p "
                f"({type(error).__name__}: {error}), but printed {printed[:80]!r}"
            ) from error
        if not math.isfinite(reading.score) or not 0 <= (reading.p or 0.0) <= 1:
            raise MethodError(f"{self.name}: detect printed the score {reading.score} and p {reading.p}")
        return reading

    def _bits(self, text: str | None) -> Bits | None:
        if text is None:
            return None
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8))
        if len(bits) != -(-self.message_bits // 8) * 8:
            raise ValueError(f"bits must be {-(-self.message_bits // 8)} bytes")
        return bits[: self.message_bits]

    def _run(self, arguments: tuple[str, ...], values: dict[str, Any]) -> str:
        """Standard output of the program."""
        strength = self.strength if self.chosen is None else self.chosen
        places = {"program": self.program, **values} | ({} if strength is None else {"strength": f"{strength:g}"})
        try:
            line = [argument.format_map(places) for argument in arguments]
        except (KeyError, ValueError, IndexError) as error:
            raise MethodError(f"{self.name}: placeholder {error} is none of {', '.join(places)}") from error
        try:
            process = subprocess.Popen(
                line,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise MethodError(f"{self.name}: cannot run {line[0]}: {error.strerror}") from error
        try:
            printed, said = process.communicate(timeout=self.limit_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)  # what a wrapper script started as well
            process.communicate()
            raise MethodError(f"{self.name}: took more than {self.limit_s:g} s") from error
        if process.returncode:
            last = (said.strip().splitlines() or ["it said nothing on standard error"])[-1]
            raise MethodError(f"{self.name}: exit code {process.returncode}: {last}")
        return printed


def save_png(image: Pixels, path: Path) -> None:
    """Write RGB pixels (H, W, 3), uint8, quickly."""
    Image.fromarray(image).save(path, compress_level=1)


def read_marked(path: Path, host: Pixels, name: str) -> Pixels:
    """The marked picture in a file, RGB.

    Raises:
        MethodError: it cannot be read, or is not of the host's size.
    """
    try:
        with Image.open(path) as opened:
            marked = np.array(opened.convert("RGB"))
    except OSError as error:
        raise MethodError(f"{name}: no marked picture came: {error}") from error
    if marked.shape != host.shape:
        sizes = " x ".join(map(str, marked.shape[1::-1])), " x ".join(map(str, host.shape[1::-1]))
        raise MethodError(f"{name}: the marked picture is {sizes[0]}, but the host is {sizes[1]}")
    return marked


def _checked(name: str, value: Any, kind: str, path: Path) -> Any:
    """A value of a description, converted to the type of its field."""
    match kind, value:
        case "str", str():
            return value
        case "bool", bool():
            return value
        case "Path", str():
            return path.parent / value
        case "int", int() if not isinstance(value, bool) and value > 0:
            return value
        case "float" | "float | None", int() | float() if not isinstance(value, bool) and value > 0:
            return float(value)
        case "tuple[str, ...]", list() if value and all(isinstance(item, str) for item in value):
            return tuple(value)
    raise UsageError(f"{path}: {name!r} must be of type {kind}, numbers above 0, but is {value!r}")
