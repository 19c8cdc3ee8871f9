"""Passwords, hashed by Argon2id with the parameters that argon2-cffi recommends (RFC 9106, low memory)."""

from __future__ import annotations

from engine.errors import InvalidInput

__all__ = ["MIN_PASSWORD_CHARACTERS", "hash_password", "is_password"]

MIN_PASSWORD_CHARACTERS = 8
_MAX_PASSWORD_CHARACTERS = 1000
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$c3R1ZGlvLXN0dWRpbw$JrV1sRRcQTX7Q7PmRc7wZUq8b3vyGmPbQFZ1mJ3uT1I"
"""Of no password: whoever does not exist is refused as slowly as whoever does."""


def hash_password(password: str) -> str:
    """Raises InvalidInput for one that is too short, or so long that hashing it would be an attack."""
    from argon2 import PasswordHasher

    if not MIN_PASSWORD_CHARACTERS <= len(password) <= _MAX_PASSWORD_CHARACTERS:
        raise InvalidInput(f"a password has at least {MIN_PASSWORD_CHARACTERS} characters; a sentence is a good one")
    return PasswordHasher().hash(password)


def is_password(password: str, hashed: str | None) -> bool:
    """Whether it is the password that `hashed` was made of; None is nobody's."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > _MAX_PASSWORD_CHARACTERS:
        return False
    try:
        return PasswordHasher().verify(hashed or _NOBODYS, password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False
