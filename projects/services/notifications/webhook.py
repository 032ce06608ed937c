"""A webhook: JSON by POST, signed as the Standard Webhooks specification says. Redirects are not followed.

`webhook-signature` is `v1,` and base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, keyed by what follows `whsec_`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from urllib.parse import SplitResult, urlsplit

import structlog
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_match_hostname import CertificateError

from projects.models import Channel, Delivery
from projects.services.notifications.address import PORTS, NotAllowed, address_of
from projects.services.notifications.outcome import Outcome

SECRET_PREFIX = "whsec_"
TIMEOUT_SECONDS = 10

log = structlog.get_logger(__name__)


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def send(channel: Channel, row: Delivery) -> Outcome:
    """Ten seconds at most, whatever the other side does. Never raises for what it does."""
    body = _body(row)
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ContainerHub",
        "webhook-id": str(row.pk),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(channel.secret, str(row.pk), timestamp, body),
    }
    call = _Call(urlsplit(channel.target), body, headers, any_address=channel.any_address)
    # A socket's time-out is for each read: one that answers a byte at a time would hold the worker for ever.
    thread = threading.Thread(target=call.run, name="webhook", daemon=True)
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    return call.outcome or Outcome(False, error=f"It did not answer within {TIMEOUT_SECONDS} seconds.")


def _body(row: Delivery) -> bytes:
    place = f"/projects/{row.project_slug}/" if row.project_slug else "/"
    data = {
        "event": row.event_id,
        "topic": row.subject.partition(" ")[0],
        "project": row.project_slug or None,
        "message": row.message,
        "url": f"{settings.CONTAINERHUB.url}{place}",
    }
    return json.dumps({"type": row.event_kind, "timestamp": row.event_at.isoformat(), "data": data}).encode()


class _Call:
    """One POST; `outcome` is None until it ended. It uses no database: it runs in a thread that may be left behind."""

    def __init__(self, url: SplitResult, body: bytes, headers: dict[str, str], *, any_address: bool) -> None:
        self.url, self.body, self.headers, self.any_address = url, body, headers, any_address
        self.outcome: Outcome | None = None

    def run(self) -> None:
        try:
            self.outcome = _judged(self._status())
        except NotAllowed:
            self.outcome = Outcome(False, error="Its host leads into the hub's own network; an administrator has to make this channel.")
        except (OSError, HTTPError, CertificateError) as error:
            self.outcome = Outcome(False, error=f"It cannot be reached ({type(error).__name__}); check its url.")
        except Exception as error:
            log.error("webhook.broke", error=type(error).__name__)  # its text may hold the url
            self.outcome = Outcome(False, error=f"Sending failed inside the hub ({type(error).__name__}), and its log tells why.")

    def _status(self) -> int:
        address = address_of(self.url, any_address=self.any_address)
        connection = self._connection(address)
        try:
            target = (self.url.path or "/") + (f"?{self.url.query}" if self.url.query else "")
            connection.request("POST", target, body=self.body, headers={"Host": self.url.netloc, **self.headers}, preload_content=False)
            return connection.getresponse().status
        finally:
            connection.close()

    def _connection(self, address: str) -> HTTPConnection:
        """To the address that was checked; the certificate must be the name's."""
        port = self.url.port or PORTS[self.url.scheme]
        if self.url.scheme == "http":
            return HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
        name = self.url.hostname
        return HTTPSConnection(address, port, timeout=TIMEOUT_SECONDS, server_hostname=name, assert_hostname=name)


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(True, status)
    if 300 <= status < 400:
        return Outcome(False, status, f"It answered {status}, and redirects are not followed; give the url that it leads to.")
    return Outcome(False, status, f"It answered {status}.")
