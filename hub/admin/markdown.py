"""The systems' own set-up pages as HTML. Raw HTML in them is shown, not carried out."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_reader = MarkdownIt("commonmark", {"html": False}).enable("table")


def as_html(text: str) -> SafeString:
    return mark_safe(_reader.render(text))  # noqa: S308  html is off in the reader
