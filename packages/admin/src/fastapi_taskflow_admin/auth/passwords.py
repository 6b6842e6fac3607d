"""Passwords: their hashes, and comparing them in the same time whatever they are."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

LONGEST = 1_024
"""Bytes of UTF-8; a longer password is wrong without a look at it."""

_SALT_BYTES, _KEY_BYTES = 16, 32
_MOST_MEMORY = 256 * 1024 * 1024
_OTHER_HASHES = ("$argon2", "$2a$", "$2b$", "$2y$", "$pbkdf2", "$scrypt", "pbkdf2:", "scrypt:")
_FORM = "scrypt$n$r$p$salt$hash, as made by hash_password()"


@dataclass(frozen=True, slots=True)
class Cost:
    """The work of one scrypt hash (RFC 7914): memory is about ``128 * n * r`` bytes."""

    n: int = 2**15
    r: int = 8
    p: int = 3

    def __post_init__(self) -> None:
        power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        if not (power_of_two and self.r >= 1 and 1 <= self.p <= 16):
            raise ValueError(f"n must be a power of two, r 1 or more, p 1 to 16, got {self}")
        if self.memory > _MOST_MEMORY:
            raise ValueError(f"{self} needs more than {_MOST_MEMORY >> 20} MiB")

    @property
    def memory(self) -> int:
        """Bytes that OpenSSL wants to be allowed."""
        return 128 * self.r * (self.n + self.p + 2)

    def digest(self, password: str, salt: bytes) -> bytes:
        """The hash of a password; this takes its time."""
        return hashlib.scrypt(
            encoded(password),
            salt=salt,
            n=self.n,
            r=self.r,
            p=self.p,
            maxmem=self.memory,
            dklen=_KEY_BYTES,
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """A password as it was configured: a digest, and how it is made.

    ``cost`` None is a password given in plain text, of which only the SHA-256 is kept.
    """

    digest: bytes = field(repr=False)
    salt: bytes = field(default=b"", repr=False)
    cost: Cost | None = None


NOBODY = Stored(secrets.token_bytes(_KEY_BYTES))
"""What the password of an unknown user is compared with."""


def encoded(text: str) -> bytes:
    """UTF-8, of lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def hash_password(password: str, cost: Cost | None = None) -> str:
    """A hash to write into a configuration in place of the password.

    Args:
        password: At most 1,024 bytes of UTF-8.
        cost: How much work it is; None is a third of a second or so, and 32 MiB.

    Raises:
        TypeError: The password is no string.
        ValueError: It is empty or too long.
    """
    if not isinstance(password, str):
        raise TypeError(f"password must be a string, got {type(password).__name__}")
    if not 1 <= len(encoded(password)) <= LONGEST:
        raise ValueError(f"password must have 1 to {LONGEST:,} bytes of UTF-8")
    used, salt = cost or Cost(), secrets.token_bytes(_SALT_BYTES)
    parts = (used.n, used.r, used.p, _text(salt), _text(used.digest(password, salt)))
    return "$".join(("scrypt", *map(str, parts)))


def stored(name: str, configured: object) -> Stored:
    """The password that someone configured, in plain text or hashed.

    The errors do not repeat it.

    Raises:
        TypeError: It is no string.
        ValueError: It is empty, too long, or a hash that cannot be used.
    """
    if not isinstance(configured, str):
        raise TypeError(f"{name} must be a string, got {type(configured).__name__}")
    if not 1 <= len(encoded(configured)) <= LONGEST:
        raise ValueError(f"{name} must have 1 to {LONGEST:,} bytes of UTF-8")
    if configured.startswith(_OTHER_HASHES):
        raise ValueError(f"{name} looks like a hash of another kind: it must be {_FORM}")
    if configured.startswith("scrypt$"):
        return _parsed(name, configured)
    return Stored(hashlib.sha256(encoded(configured)).digest())


def _parsed(name: str, configured: str) -> Stored:
    try:
        _, n, r, p, salt, digest = configured.split("$")
        cost = Cost(int(n), int(r), int(p))
        parsed = Stored(_binary(digest), _binary(salt), cost)
    except ValueError as error:
        raise ValueError(f"{name} is a hash that cannot be read: it must be {_FORM}") from error
    if len(parsed.digest) != _KEY_BYTES or not parsed.salt:
        raise ValueError(f"{name} is a hash that cannot be read: it must be {_FORM}")
    return parsed


def matches(password: str, expected: Stored, costs: tuple[Cost, ...]) -> bool:
    """Whether it is the password.

    Args:
        password: What was typed.
        expected: What it is compared with.
        costs: Every cost in use: one hash of each is made, so that the time tells nothing.
    """
    if len(encoded(password)) > LONGEST:
        return False
    made = hashlib.sha256(encoded(password)).digest()
    for cost in costs:
        own = cost == expected.cost
        digest = cost.digest(password, expected.salt if own else bytes(_SALT_BYTES))
        made = digest if own else made
    return hmac.compare_digest(made, expected.digest)


def _text(binary: bytes) -> str:
    return urlsafe_b64encode(binary).decode().rstrip("=")


def _binary(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
