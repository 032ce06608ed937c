"""Browser assets of others: named files of what npm installed, found as static files. None of them is ever committed."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

MODULES = Path(settings.BASE_DIR) / "node_modules"
FILES = {
    "vendor/htmx.js": "htmx.org/dist/htmx.min.js",
    "vendor/htmx-ws.js": "htmx.org/dist/ext/hx-ws.min.js",
    "vendor/uplot.js": "uplot/dist/uPlot.esm.js",
    "vendor/uplot.css": "uplot/dist/uPlot.min.css",
    "vendor/xterm.js": "@xterm/xterm/lib/xterm.mjs",
    "vendor/xterm.css": "@xterm/xterm/css/xterm.css",
    "vendor/xterm-addon-clipboard.js": "@xterm/addon-clipboard/lib/addon-clipboard.mjs",
    "vendor/xterm-addon-fit.js": "@xterm/addon-fit/lib/addon-fit.mjs",
    "vendor/xterm-addon-search.js": "@xterm/addon-search/lib/addon-search.mjs",
    "vendor/xterm-addon-unicode11.js": "@xterm/addon-unicode11/lib/addon-unicode11.mjs",
    "vendor/xterm-addon-web-links.js": "@xterm/addon-web-links/lib/addon-web-links.mjs",
}
"""Static name -> the file below node_modules/."""
_SOURCE_MAP = re.compile(rb"^(?://# sourceMappingURL=.*|/\*# sourceMappingURL=.*\*/)\s*$", re.MULTILINE)


def address(name: str) -> str | None:
    """Where the browser gets that file of `FILES`; None when npm has not installed it, or it was not collected since."""
    try:
        return staticfiles_storage.url(name)
    except ValueError:  # the manifest has no such file
        return None


class Installed(Storage):
    """The files of `FILES` that are there, without the comments that name source maps, which are not served."""

    def path(self, name: str) -> str:
        return str(MODULES / FILES[name])

    def exists(self, name: str) -> bool:
        return name in FILES and Path(self.path(name)).is_file()

    def size(self, name: str) -> int:
        return Path(self.path(name)).stat().st_size

    def get_modified_time(self, name: str) -> datetime:
        return datetime.fromtimestamp(Path(self.path(name)).stat().st_mtime, tz=UTC)

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        return ContentFile(_SOURCE_MAP.sub(b"", Path(self.path(name)).read_bytes()), name=name)


class NodeModules(BaseFinder):
    """Finds nothing, in silence, where npm has installed nothing: the pages say so where it matters."""

    storage = Installed()

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = [self.storage.path(path)] if self.storage.exists(path) else []
        return found[0] if found and not find_all else found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        return ((name, self.storage) for name in FILES if self.storage.exists(name))


class Collected(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Scripts that import each other name the very version they were collected with."""

    support_js_module_import_aggregation = True
