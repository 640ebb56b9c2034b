"""The store of sealed files. What lies on disk is ciphertext under the list's data key, under a name that says nothing."""

from __future__ import annotations

import os
import secrets

from django.conf import settings

from eduaid.core.models import DataKey
from eduaid.core.sealing import Opener, Sealer

_CONTEXT = b"file"


def store(data: bytes, key: DataKey) -> str:
    """Seals and writes the bytes durably; returns the name they are stored under. A crash leaves no half file under it."""
    name = secrets.token_hex(16)
    relative = f"{name[:2]}/{name}"
    path = settings.FILES_DIR / relative
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(Sealer(key).seal(data, _CONTEXT))
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return relative


def load(stored_as: str) -> bytes:
    """The bytes as they were delivered. Raises sealing.Unreadable or FileNotFoundError."""
    return Opener().open((settings.FILES_DIR / stored_as).read_bytes(), _CONTEXT)
