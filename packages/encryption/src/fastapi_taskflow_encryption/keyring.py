"""The keys there are, by name: the first one encrypts, all of them decrypt."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken

from fastapi_taskflow_core.errors import PayloadError

logger = logging.getLogger(__name__)

Key = str | bytes
Keys = Key | Sequence[Key]

ASK_AGAIN = 30.0
"""Seconds after which a callable is asked again for a key that is not there."""
NO_KEY_FITS = "cannot decrypt: no configured key fits"
_HINT = (
    "a Fernet key is 44 characters of url-safe base64: make one by"
    ' python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class Keyring:
    """Fernet keys, each with a name: eight hexadecimal digits of its SHA-256.

    Args:
        source: A key, a list of keys, or a callable that returns either, as one that asks a
            secret manager. It is called here, and again when a key is needed that it did not
            return, at most every 30 seconds; it should be quick, as the event loop waits.
        monotonic: Seconds that never jump.

    Raises:
        TypeError: What should be a key is neither text nor bytes.
        ValueError: There is no key, or one is malformed. It is not quoted.
    """

    def __init__(
        self, source: Keys | Callable[[], Keys], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = source if callable(source) else None
        self._monotonic = monotonic
        self._asked = monotonic()
        self._keys = _named(source() if callable(source) else source)

    @property
    def names(self) -> Sequence[str]:
        """The names of the keys, the one that encrypts first."""
        return tuple(self._keys)

    def encrypt(self, plain: bytes) -> tuple[str, bytes]:
        """The name of the first key, and *plain* encrypted with it."""
        name, key = next(iter(self._keys.items()))
        return name, key.encrypt(plain)

    def decrypt(self, name: str, token: bytes) -> bytes:
        """What `encrypt` was given.

        Raises:
            PayloadError: There is no key of this name, or the token is damaged.
        """
        if name not in self._keys:
            self._ask_again()
        key = self._keys.get(name)
        if key is None:
            raise PayloadError(NO_KEY_FITS)
        try:
            return key.decrypt(token)
        except InvalidToken:
            raise PayloadError("cannot decrypt: the stored bytes are damaged") from None

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def _ask_again(self) -> None:
        now = self._monotonic()
        if self._ask is None or now - self._asked < ASK_AGAIN:
            return
        self._asked = now
        try:
            self._keys = _named(self._ask())
        except Exception as error:  # noqa: BLE001  it is the user's, and the old keys still are
            logger.warning("could not get the encryption keys again: %s", type(error).__name__)


def _named(keys: Keys) -> dict[str, Fernet]:
    some = [keys] if isinstance(keys, str | bytes) else keys
    if not isinstance(some, list | tuple):
        raise TypeError(
            "encrypt_args_key must be a key, a list of keys or a callable that returns"
            f" either, got {type(keys).__name__}"
        )
    if not some:
        raise ValueError(f"encrypt_args_key is an empty list: {_HINT}")
    return dict(_fernet(key, place) for place, key in enumerate(some))


def _fernet(key: Key, place: int) -> tuple[str, Fernet]:
    if not isinstance(key, str | bytes):
        kind = type(key).__name__
        raise TypeError(f"encrypt_args_key[{place}] must be text or bytes, got {kind}")
    try:
        fernet = Fernet(key)
        raw = base64.urlsafe_b64decode(key)
    except ValueError:
        raise ValueError(f"encrypt_args_key[{place}] is malformed: {_HINT}") from None
    return sha256(raw).hexdigest()[:8], fernet
