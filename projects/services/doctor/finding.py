"""One thing that the doctor looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is when it is not well: an error keeps the hub from its work or opens it to others."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """`ok` None: it could not be told. `message` is one sentence of what is; `remedy` one of what to do, "" when well."""

    check: str
    ok: bool | None
    severity: Severity
    message: str
    remedy: str = ""


def well(check: str, message: str) -> Finding:
    return Finding(check, True, Severity.ERROR, message)


def error(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, False, Severity.ERROR, message, remedy)


def warning(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, False, Severity.WARNING, message, remedy)


def unknown(check: str, message: str, remedy: str = "") -> Finding:
    return Finding(check, None, Severity.WARNING, message, remedy)
