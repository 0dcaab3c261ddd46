"""Encrypts what is secret before it is stored. Several keys rotate: the first encrypts, every one decrypts."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """None of the keys fits: a key was removed before everything was encrypted anew."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(one) for one in keys])


def encrypt(plain: str) -> bytes:
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(plain.encode())


def decrypt(stored: bytes) -> str:
    """Raises CannotDecrypt."""
    try:
        return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(stored).decode()
    except InvalidToken as error:
        raise CannotDecrypt("A stored secret fits none of the ENCRYPTION_KEYS; put the removed key back.") from error


def renewed(stored: bytes) -> bytes:
    """The same secret under the first key."""
    return _box(tuple(settings.ENCRYPTION_KEYS)).rotate(stored)
