"""Pictures on which a method is worst and at its borderline, marked again as the run marked them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import fmean
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.methods.base import Method
from benchmarks.metrics.quality import psnr
from benchmarks.report.markup import grid, node, section
from benchmarks.report.results import Result, Row, Series, percent
from benchmarks.runner import draws
from benchmarks.runner.pictures import Picture
from benchmarks.runner.plan import DEFAULT_POINT
from benchmarks.runner.probes import embed

AMPLIFIED = 10
_HEIGHT, _WIDTH = 256, 384
_BORDER = 0.25  # how far from half a borderline picture may be
_NEAR = 0.01  # dB between the PSNR measured and that of the picture marked again
_TITLE = "Worst and borderline pictures"


@dataclass(frozen=True, slots=True)
class Choice:
    """A picture of the gallery.

    Attributes:
        series: the method.
        why: ``worst`` or ``borderline``.
        image: name of the picture.
        share: of the attacks whose copies were read exactly.
    """

    series: Series
    why: str
    image: str
    share: float


def gallery(result: Result, folder: Path | None, resolve: Callable[[str], Method]) -> Element:
    """The section of pictures.

    Args:
        result: the result.
        folder: in which the run's pictures lie; none are shown if ``None``.
        resolve: gives a method by its name.
    """
    if folder is None:
        text = "Not included: a result holds no pictures. --data FOLDER marks the run's pictures again and shows them."
        return section("gallery", _TITLE, node("p", text))
    figures = [_figure(result, choice, folder, resolve) for choice in choices(result)]
    return section(
        "gallery",
        _TITLE,
        node(
            "p",
            "Worst: the fewest attacks survived, if any was lost. Borderline: nearest to half, if no farther than a "
            "quarter from it. Original, marked, and the residual times "
            f"{AMPLIFIED} about grey: the part of {_WIDTH} x {_HEIGHT} pixels with the largest change, one pixel to a "
            "pixel, coded as JPEG 92. Marked again with the key and message of the run, and shown only where the PSNR "
            "is the one measured. Default strength only.",
        ),
        grid(figures),
    )


def choices(result: Result) -> Iterator[Choice]:
    """The worst picture of each method at its default strength, and the one nearest to half if it is another.

    The first only if something of it was lost, the second only within a quarter of half.
    """
    for series in result.series:
        if series.point != DEFAULT_POINT:
            continue
        outcomes: dict[str, list[bool]] = {}
        for row in result.counted(result.reads(series, "marked")):
            outcomes.setdefault(row["image"], []).append(bool(row["exact"]))
        shares = {image: fmean(read) for image, read in outcomes.items()}
        if not shares:
            continue
        worst = min(shares, key=lambda image: shares[image])
        borderline = min(shares, key=lambda image: abs(shares[image] - 0.5))
        if shares[worst] < 1:
            yield Choice(series, "worst", worst, shares[worst])
        if borderline != worst and abs(shares[borderline] - 0.5) <= _BORDER:
            yield Choice(series, "borderline", borderline, shares[borderline])


def crop(host: NDArray[np.uint8], marked: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns around the largest change, as many as a figure shows, or all there are."""
    change = np.abs(marked.astype(np.int16) - host).sum(axis=2)
    middle = np.unravel_index(int(change.argmax()), change.shape)
    spans = []
    for centre, length, shown in zip(middle, change.shape, (_HEIGHT, _WIDTH), strict=True):
        start = min(max(int(centre) - shown // 2, 0), max(length - shown, 0))
        spans.append(slice(start, start + shown))
    return spans[0], spans[1]


def _figure(result: Result, choice: Choice, folder: Path, resolve: Callable[[str], Method]) -> Element:
    caption = (
        f"{choice.series}, {choice.why}: {choice.image}, {percent(choice.share)} % of the attacked copies read exactly"
    )
    row = next((row for row in result.embeds(choice.series) if row["image"] == choice.image), None)
    try:
        if row is None:
            raise ValueError("it was not marked in the run")
        host, marked = _again(result, row, folder / choice.image, resolve)
    except Exception as error:  # whatever a method raises is a caption, never a lost report
        return node("figure", node("figcaption", f"{caption}. Not shown: {error}"))
    part = crop(host, marked)
    residual = np.clip(128 + AMPLIFIED * (marked.astype(np.int16) - host), 0, 255).astype(np.uint8)
    images = [
        node("img", src=_data(pixels[part]), alt=f"{choice.image}, {what}", title=what)
        for what, pixels in (("original", host), ("marked", marked), (f"residual x {AMPLIFIED}", residual))
    ]
    return node("figure", node("figcaption", caption), *images)


def _again(
    result: Result, row: Row, path: Path, resolve: Callable[[str], Method]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Host and marked picture of a row.

    Raises:
        ValueError: they are not the pictures that were measured.
    """
    picture = Picture.of(path)
    (measured,) = [image for image in result.values["data"]["images"] if image["name"] == row["image"]]
    if picture.sha256 != measured["sha256"]:
        raise ValueError("the folder holds another file of that name, or none")
    seed, sha256, method = result.values["seed"], picture.sha256, resolve(row["method"])
    key = draws.draw(seed, "key", sha256, 0)
    if draws.key_label(key) != row["key"]:
        raise ValueError("it was marked under another key")
    host = picture.pixels()
    marked = embed(method, host, draws.message(seed, sha256, 0, method.message_bits), key)
    again = psnr(host, marked)
    if abs(again - (np.inf if row["psnr"] is None else row["psnr"])) > _NEAR:
        raise ValueError(f"marked again it has {again:.2f} dB, in the run it had {row['psnr']}: another version?")
    return host, marked


def _data(pixels: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92, subsampling="4:4:4")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
