"""Logging: structlog over the standard library, for people in development and JSON in production."""

import re
from typing import Any

import structlog

_INVITATION = re.compile(r"(/accounts/invitation/)[^/\s\"']+")

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _console() -> structlog.dev.ConsoleRenderer:
    """Plain tracebacks: its own show the local variables, and with them secrets."""
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def mask_keys(logger: Any, method: str, line: str) -> str:
    """The rendered line without the key of an invitation, whoever logged its address."""
    return _INVITATION.sub(r"\1***", line)


def logging_config(log_format: str) -> dict[str, Any]:
    """The LOGGING dictionary, with structlog set up beside it. `log_format` is "console" or "json"."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if log_format == "json" else _console()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "hub": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, mask_keys],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "hub"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # The SDK's transport and the request lines that django-structlog repeats
            "urllib3": {"level": "WARNING"},
            "docker": {"level": "WARNING"},
            "paramiko": {"level": "WARNING"},
            # Four lines for every canary
            "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
