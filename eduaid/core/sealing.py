"""Sealing: identifiers, phones, cards, delivered rows and stored files are unreadable without a key from the ring.

Envelope: a key ring outside the database wraps data keys; a data key seals one list or one child's acts. A sealed value
says which data key it needs: 1 byte format, 8 bytes data key id, 12 bytes nonce, then AEAD ciphertext. Nonces are
random, so sealed values never compare equal; equality, diffs and uniqueness go through keyed digests (16 bytes).

Algorithms: AES-256-GCM with HMAC-SHA256, or SM4-GCM with HMAC-SM3 (`EDUAID_CRYPTO=sm`). The software SM4 of OpenSSL is not
a certified module.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from eduaid.core.models.keys import DataKey

_FORMAT = b"\x01"
_HEADER = 21  # format, key id, nonce


class Unreadable(Exception):
    """The value was sealed with a key that has been destroyed or is not in the ring, or it was tampered with."""


class _Sm4Gcm:
    """SM4-GCM with the interface of AESGCM."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: bytes, context: bytes) -> bytes:
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(context)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, context: bytes) -> bytes:
        decryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, data[-16:])).decryptor()
        decryptor.authenticate_additional_data(context)
        return decryptor.update(data[:-16]) + decryptor.finalize()


_KEY_BYTES = {"aes-gcm": 32, "sm4-gcm": 16}


def _aead(algorithm: str, key: bytes) -> AESGCM | _Sm4Gcm:
    return AESGCM(key) if algorithm == "aes-gcm" else _Sm4Gcm(key)


@dataclass(frozen=True)
class KeyRing:
    """Key-encrypting keys by name, which of them wraps new data keys, and the digest key (never rotated with the others:
    a new digest key means recomputing every digest)."""

    primary: str
    algorithm: str
    keys: dict[str, bytes]
    digest_key: bytes

    @property
    def hash(self) -> str:
        return "sm3" if self.algorithm == "sm4-gcm" else "sha256"

    @cached_property
    def digest(self) -> Callable[[str], bytes]:
        """The first 16 bytes of the HMAC (RFC 2104) under the digest key, whose own blocks are taken in once: half the work for
        values as short as numbers. The last answer is remembered, for a 学籍号 holds the ID number that follows it in a row."""
        inner, outer = hashlib.new(self.hash), hashlib.new(self.hash)
        size = inner.block_size
        key = self.digest_key if len(self.digest_key) <= size else hashlib.new(self.hash, self.digest_key).digest()
        inner.update(bytes(byte ^ 0x36 for byte in key.ljust(size, b"\0")))
        outer.update(bytes(byte ^ 0x5C for byte in key.ljust(size, b"\0")))
        last = ("", b"")

        def of(message: str) -> bytes:
            nonlocal last
            asked, answer = last
            if asked == message:
                return answer
            first, second = inner.copy(), outer.copy()
            first.update(message.encode())
            second.update(first.digest())
            answer = second.digest()[:16]
            last = message, answer
            return answer

        return of


def new_keyring() -> str:
    """The JSON text of a fresh ring; the algorithm follows EDUAID_CRYPTO (aes by default, or sm)."""
    algorithm = "sm4-gcm" if os.environ.get("EDUAID_CRYPTO") == "sm" else "aes-gcm"
    return json.dumps(
        {
            "primary": "k1",
            "algorithm": algorithm,
            "keys": {"k1": _text(os.urandom(_KEY_BYTES[algorithm]))},
            "digest": _text(os.urandom(32)),
        }
    )


def with_new_primary(ring_text: str) -> str:
    """The ring with one more key, which wraps from now on; the older keys stay so that old envelopes open."""
    ring = json.loads(ring_text)
    name = f"k{len(ring['keys']) + 1}"
    ring["keys"][name] = _text(os.urandom(_KEY_BYTES[ring["algorithm"]]))
    return json.dumps(ring | {"primary": name})


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def ring_text() -> str:
    """The ring as configured: EDUAID_KEYRING holds it or names its file; else the file in the state folder."""
    if settings.KEYRING.lstrip().startswith("{"):
        return str(settings.KEYRING)
    path = Path(settings.KEYRING) if settings.KEYRING else settings.KEYRING_PATH
    if not path.exists():
        raise ImproperlyConfigured(f"The key ring is missing: set EDUAID_KEYRING, or put the ring back at {path}.")
    return path.read_text(encoding="utf-8")


@cache
def ring() -> KeyRing:
    data = json.loads(ring_text())
    return KeyRing(
        data["primary"],
        data["algorithm"],
        {name: base64.b64decode(key) for name, key in data["keys"].items()},
        base64.b64decode(data["digest"]),
    )


def digest(kind: str, value: str) -> bytes:
    """16 bytes that are equal for equal values of one kind, and say nothing without the ring."""
    return ring().digest(f"{kind}\0{value}")


def new_data_key(purpose: str) -> DataKey:
    """Makes, wraps and saves a data key."""
    keys = ring()
    key = DataKey(purpose=purpose, algorithm=keys.algorithm, wrapping_key=keys.primary)
    key.wrapped = _wrap(os.urandom(_KEY_BYTES[keys.algorithm]))
    key.save()
    return key


def _wrap(plain: bytes) -> bytes:
    keys = ring()
    nonce = os.urandom(12)
    return nonce + _aead(keys.algorithm, keys.keys[keys.primary]).encrypt(nonce, plain, b"data-key")


def _unwrap(key: DataKey) -> bytes:
    if key.wrapped is None:
        raise Unreadable("该数据的密钥已销毁，内容无法再读出")
    keys = ring()
    if key.wrapping_key not in keys.keys:
        raise Unreadable(f"密钥环中没有名为 {key.wrapping_key} 的密钥，内容无法读出")
    wrapped = bytes(key.wrapped)
    try:
        return _aead(key.algorithm, keys.keys[key.wrapping_key]).decrypt(wrapped[:12], wrapped[12:], b"data-key")
    except InvalidTag as error:
        raise Unreadable("密钥环与数据不符，内容无法读出") from error


class Sealer:
    """Seals many values with one data key. `context` names what the value is; it must be the same to open it."""

    def __init__(self, key: DataKey) -> None:
        self._prefix = _FORMAT + key.pk.to_bytes(8, "big")
        self._encrypt = _aead(key.algorithm, _unwrap(key)).encrypt
        self._nonces = memoryview(b"")

    def seal(self, plain: bytes, context: bytes) -> bytes:
        if not self._nonces:
            self._nonces = memoryview(os.urandom(12 * 1024))  # one system call for a thousand nonces
        nonce, self._nonces = bytes(self._nonces[:12]), self._nonces[12:]
        return self._prefix + nonce + self._encrypt(nonce, plain, context)


class Opener:
    """Opens sealed values, reading each data key once. Made per request or task: nothing outlives a destroyed key."""

    def __init__(self) -> None:
        self._keys: dict[int, AESGCM | _Sm4Gcm] = {}

    def open(self, sealed: bytes | memoryview, context: bytes) -> bytes:
        data = bytes(sealed)
        key_id = int.from_bytes(data[1:9], "big")
        if key_id not in self._keys:
            key = DataKey.objects.get(pk=key_id)
            self._keys[key_id] = _aead(key.algorithm, _unwrap(key))
        try:
            return self._keys[key_id].decrypt(data[9:_HEADER], data[_HEADER:], context)
        except InvalidTag as error:
            raise Unreadable("密封内容被改动过，无法读出") from error


@transaction.atomic
def rewrap_all() -> int:
    """Wraps every data key with the ring's primary key; returns how many were re-wrapped. Sealed values are untouched."""
    count = 0
    for key in DataKey.objects.exclude(wrapping_key=ring().primary).filter(destroyed_at=None).select_for_update():
        plain = _unwrap(key)
        key.wrapped, key.wrapping_key = _wrap(plain), ring().primary
        key.save(update_fields=["wrapped", "wrapping_key"])
        count += 1
    return count


def destroy(key: DataKey) -> None:
    """Makes all that was sealed with the key unreadable, for good."""
    key.wrapped, key.destroyed_at = None, timezone.now()
    key.save(update_fields=["wrapped", "destroyed_at"])
