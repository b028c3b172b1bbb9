"""Write the tables beside the peers into README.md and docs/benchmark/README.md, from the stored results.

    python -m benchmarks.readme_table [--root .]

Each goes between its two marks on the page.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from benchmarks.page_part import with_part
from benchmarks.report.results import Result
from benchmarks.report.summary import summary
from benchmarks.runner.result import read_result

RESULTS = Path("benchmarks/results")


class Table(NamedTuple):
    """A table on a page.

    Attributes:
        page: path of the page.
        result: name of the stored result without suffix.
        brief: whether it is the narrow table.
    """

    page: str
    result: str
    brief: bool = False

    @property
    def marks(self) -> tuple[str, str]:
        """What stands before and after it."""
        return f"<!-- {self.result}: made by benchmarks.readme_table -->\n", f"<!-- end of {self.result} -->\n"

    def text(self, root: Path) -> str:
        """The table as Markdown, from the result under a root folder."""
        result = Result(read_result(root / RESULTS / f"{self.result}.json"))
        return summary(result, brief=self.brief)


PAGE = "docs/benchmark/README.md"
TABLES = (
    Table("README.md", "core-photo", brief=True),
    Table(PAGE, "core-photo"),
    Table(PAGE, "equal-kodak"),
    Table(PAGE, "equal-rivagan"),
    Table(PAGE, "forensic-kodak"),
    Table(PAGE, "awkward"),
)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="folder of pages and results")
    root: Path = parser.parse_args().root
    for table in TABLES:
        path = root / table.page
        path.write_text(with_part(path.read_text(), table.marks, table.text(root)))


if __name__ == "__main__":
    main()
