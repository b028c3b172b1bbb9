"""Write the table beside the peers into README.md and docs/benchmark/README.md, from one result of the benchmark.

    python -m benchmarks.readme_table [--result benchmarks/results/core-kodak.json] [--root .]

The pages have marks between which it goes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.page_part import with_part
from benchmarks.report.exports import summary
from benchmarks.report.results import Result
from benchmarks.runner.result import read_result

MARKS = ("<!-- benchmark: made by benchmarks.readme_table -->\n", "<!-- end of benchmark -->\n")
RESULT = Path("benchmarks/results/core-kodak.json")


def tables(result: Result) -> dict[str, str]:
    """The table of each page, by the page's path."""
    return {"README.md": summary(result, brief=True), "docs/benchmark/README.md": summary(result)}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--root", type=Path, default=Path(), help="folder of the pages")
    arguments = parser.parse_args()
    for name, table in tables(Result(read_result(arguments.result))).items():
        path = arguments.root / name
        path.write_text(with_part(path.read_text(), MARKS, table))


if __name__ == "__main__":
    main()
