"""What a program printed, as a box on the admin's pages: text, never HTML."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.services.plain import plain

__all__ = ["plain", "shown"]


def shown(data: bytes, name: str) -> SafeString:
    """In a box that a keyboard can scroll."""
    if not data:
        return format_html('<span class="quiet">{}</span>', "Nothing.")
    return format_html('<pre class="output" tabindex="0" role="region" aria-label="{}">{}</pre>', name, plain(data))
