"""The part of a page that is generated, between two comments."""

from __future__ import annotations


def with_part(page: str, marks: tuple[str, str], text: str) -> str:
    """A page with the part between its two marks replaced.

    Raises:
        ValueError: the page lacks a mark.

    Example:
        >>> with_part("a<b>old</b>c", ("<b>", "</b>"), "new")
        'a<b>new</b>c'
    """
    before, first, rest = page.partition(marks[0])
    _, last, after = rest.partition(marks[1])
    if not (first and last):
        raise ValueError(f"the page has not both of {marks[0].strip()} and {marks[1].strip()}")
    return before + first + text + last + after
