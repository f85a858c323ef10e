"""Notes in Markdown as HTML that runs nothing and fetches nothing."""

from __future__ import annotations

__all__ = ["rendered"]


def rendered(text: str) -> str:
    """The text as HTML: tags in it are text, and a picture is a link to it, since a page asks no other machine."""
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default").disable("image").render(text)
