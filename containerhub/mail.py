"""The mail server as one address: `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465` (TLS from the start)."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TIMEOUT_SECONDS = 10
_PORTS = {"smtp": 587, "smtps": 465}


def mail_settings(url: str) -> dict[str, Any]:
    """Django's own settings of that server. `?starttls=no` is for a relay on this machine. Raises ValueError, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("must be smtp://user:password@host:port, with what is special in the password as %XX") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("must be smtp://user:password@host:587 or smtps://user:password@host:465")
    starttls = query.pop("starttls", ["yes"])[-1]
    if query or starttls not in ("yes", "no"):
        raise ValueError("takes no option but starttls=no")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or _PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and starttls == "yes",
        "EMAIL_TIMEOUT": TIMEOUT_SECONDS,
    }
