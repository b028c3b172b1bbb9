"""Nodes of HTML and SVG. The standard library's element tree escapes whatever is text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, tostring

Content = Element | str | None


def node(tag: str, *content: Content, **attributes: object) -> Element:
    """An element.

    Args:
        tag: its name.
        content: text and elements in order; ``None`` is left out.
        attributes: values are spelled; ``None`` is left out; ``class_`` is ``class``, and ``stroke_width`` is
            ``stroke-width``.

    Example:
        >>> render(node("p", "1 < 2, ", node("b", "yes"), "!", class_="note"))
        '<p class="note">1 &lt; 2, <b>yes</b>!</p>'
    """
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    made = Element(tag, {name: str(value) for name, value in named.items() if value is not None})
    for item in content:
        if isinstance(item, Element):
            made.append(item)
        elif item is not None and len(made):
            made[-1].tail = (made[-1].tail or "") + item
        elif item is not None:
            made.text = (made.text or "") + item
    return made


def render(element: Element) -> str:
    """HTML of an element and all within."""
    return tostring(element, encoding="unicode", method="html")


def table(head: Sequence[Content], rows: Iterable[Sequence[Content]], label: str) -> Element:
    """A table that scrolls within its own box where the screen is too narrow.

    Args:
        head: titles of the columns.
        rows: cells, the first of which names the row; cells that are ``td`` already are taken as they are.
        label: what the table is, for those who hear it.
    """
    body = [node("tr", node("th", row[0], scope="row"), *map(_cell, row[1:])) for row in rows]
    made = node(
        "table",
        node("thead", node("tr", *(node("th", title, scope="col") for title in head))),
        node("tbody", *body),
    )
    return node("div", made, class_="scroll", tabindex=0, role="region", aria_label=label)


def small(*content: Content) -> Element:
    """Lesser text on a line of its own."""
    return node("span", *content, class_="small")


def section(identifier: str, title: str, *content: Content) -> Element:
    """A section that can be linked to."""
    return node("section", node("h2", title), *content, id=identifier)


def items(texts: Iterable[Content]) -> Element:
    """A list."""
    return node("ul", *(node("li", text) for text in texts))


def grid(figures: Iterable[Element]) -> Element:
    """Figures side by side, as many as fit."""
    return node("div", *figures, class_="grid")


def _cell(content: Content) -> Element:
    return content if isinstance(content, Element) and content.tag == "td" else node("td", content)
