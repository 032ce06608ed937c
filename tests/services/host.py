"""A host of its own for one test: home, data directory and workspace roots under a temporary folder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.models import Project


@dataclass
class Host:
    home: Path
    data: Path
    roots: Path
    settings: Any

    def configure(self, **changes: object) -> None:
        self.settings.CONTAINERHUB = self.settings.CONTAINERHUB.model_copy(update=changes)

    def workspace(self, name: str, *, uid: int = 1000, gid: int = 1000) -> Path:
        path = self.roots / name
        path.mkdir(parents=True)
        os.chown(path, uid, gid)
        return path

    def project(self, slug: str = "web", *, uid: int = 1000, gid: int = 1000, **fields: object) -> Project:
        path = self.workspace(slug, uid=uid, gid=gid)
        return Project.objects.create(slug=slug, name=slug, path=str(path), **fields)

    def write(self, name: str, content: str | bytes, mode: int = 0o600) -> Path:
        """A file in the home directory."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path


def make_host(tmp_path: Path, settings: Any, monkeypatch: Any) -> Host:
    host = Host(tmp_path / "home", tmp_path / "data", tmp_path / "roots", settings)
    for path in (host.home, host.data, host.roots):
        path.mkdir()
    monkeypatch.setenv("HOME", str(host.home))
    monkeypatch.setenv("PATH", str(host.home / "bin"))
    host.configure(
        data_dir=host.data,
        workspace_roots=[host.roots],
        claude_config_path=host.home / ".claude",
        claude_cli_path="",
        github_token="",
    )
    return host


def owned(path: Path) -> tuple[int, int, int]:
    """uid, gid and mode."""
    found = path.lstat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777
