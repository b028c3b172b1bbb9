"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; rows that are shorter than its head are filled up.

    Args:
        head: titles of the columns.
        rows: cells as Markdown, see :func:`escaped`.

    Example:
        >>> markdown_table(["a", "b"], [["1"]])
        ['| a | b |', '|---|---|', '| 1 |  |']
    """
    filled = [[*row, *[""] * (len(head) - len(row))] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in (head, *filled)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


def escaped(text: str) -> str:
    r"""Text that shows as it is in a cell.

    Example:
        >>> escaped("a < b | c")
        'a &lt; b \\| c'
    """
    for character, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(character, written)
    return text
