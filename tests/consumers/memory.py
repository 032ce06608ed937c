"""How much memory a process has taken at most, by /proc."""

import re
from pathlib import Path

MB = 1024**2


class Peak:
    """The highest resident size since it was made, above what it was then."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        (self._proc / "clear_refs").write_text("5")  # the peak begins anew
        self._before = self._read("VmRSS")

    def grown_mb(self) -> float:
        return (self._read("VmHWM") - self._before) / 1024

    def _read(self, field: str) -> int:
        found = re.search(rf"^{field}:\s+(\d+) kB$", (self._proc / "status").read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1])
