"""Where things are, before any setting can be read by its proper module."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"


def data_dir() -> Path:
    """As `containerhub.config` has it."""
    return Path(os.environ.get("CONTAINERHUB_DATA_DIR") or CHECKOUT / "var").expanduser().absolute()


def base_image() -> str:
    return os.environ.get("CONTAINERHUB_BASE_IMAGE") or "claude-dev-base:latest"
