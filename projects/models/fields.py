"""A text field that stands encrypted in the database (MultiFernet; newest key first)."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class WrongEncryptionKey(Exception):
    """A stored secret cannot be read with the keys at hand."""


def cipher() -> MultiFernet:
    """The keys of `settings.ENCRYPTION_KEYS`: the first encrypts, all of them decrypt."""
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Plain text in Python, a Fernet token in the database. A wrong key raises WrongEncryptionKey."""

    def get_prep_value(self, value: Any) -> Any:
        return cipher().encrypt(str(value).encode()).decode() if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if not value:
            return value
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise WrongEncryptionKey(
                "A stored secret cannot be read: put the key it was made with back into CONTAINERHUB_ENCRYPTION_KEYS."
            ) from error
