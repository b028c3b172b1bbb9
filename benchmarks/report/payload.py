"""What a reading is worth in bits, so that methods of different payloads can be compared."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from benchmarks.metrics.decoding import capacity
from benchmarks.report.markup import node, section, small, table
from benchmarks.report.results import Mean, Result, Row, Series, done, mean, span


def payload(result: Result) -> Element:
    """The section of capacity by family of attacks."""
    rows = [
        [
            node("span", str(series), small(f"of {result.methods[series.method]['message_bits']} bits")),
            *(_cell(bits_worth(result, series, family)) for family in result.families),
        ]
        for series in result.series
    ]
    return section(
        "payload",
        "Bits a reading is worth",
        node(
            "p",
            "Capacity of a binary symmetric channel at the reading's bit accuracy, corrected for few bits; mean over "
            "pictures with a 95 % bootstrap interval. A reading that gave no bits is worth none. Methods that correct "
            "errors themselves give all bits or few; methods that do not would carry fewer bits safely.",
        ),
        table(["method", *result.families], rows, "Bits a reading is worth"),
    )


def bits_worth(result: Result, series: Series, family: str) -> Mean | None:
    """Mean capacity over the readings of a family of attacks that were done."""
    bits = result.methods[series.method]["message_bits"]

    def worth(row: Row) -> float:
        accuracy = row["bit_accuracy"]
        return 0.0 if accuracy is None else capacity(round(accuracy * bits), bits)

    return mean(done(result.reads(series, "marked", result.families[family])), worth)


def _cell(found: Mean | None) -> Element:
    if found is None:
        return node("td", "-", class_="gap")
    return node("td", f"{found.value:.1f}", small(span(found.interval, lambda bits: f"{bits:.1f}")))
