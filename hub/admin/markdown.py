"""The systems' own set-up pages as HTML. Raw HTML in them is shown, not carried out."""

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

_reader = MarkdownIt("commonmark", {"html": False}).enable("table")


def as_html(text: str) -> SafeString:
    return SafeString(_reader.render(text))
