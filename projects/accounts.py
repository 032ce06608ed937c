"""Sign-in rules for django-allauth: nobody signs up by himself, and second factors stand encrypted in the database."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from django.http import HttpRequest

from projects.models.fields import WrongEncryptionKey, cipher
from projects.services.sessions import note_sign_in

FERNET_START = "gAAAA"  # no TOTP secret in base32 begins so, nor a recovery seed in hexadecimal


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class EncryptingAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What was stored in plain before, stays readable."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(FERNET_START):
            return encrypted_text
        try:
            return cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise WrongEncryptionKey(
                "A second factor cannot be read: put the key it was made with back into CONTAINERHUB_ENCRYPTION_KEYS."
            ) from error


def note_where(sender: Any, *, request: HttpRequest | None = None, **more: Any) -> None:
    """At each sign-in, by whatever door: the account page tells one's sessions apart by it."""
    if request is not None and hasattr(request, "session"):
        note_sign_in(request.session, agent=request.META.get("HTTP_USER_AGENT", ""), address=request.META.get("REMOTE_ADDR", ""))
