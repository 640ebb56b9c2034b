"""The store of sealed files. What lies on disk is ciphertext under the list's data key, under a name that says nothing."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from django.conf import settings

from eduaid.core.models import DataKey
from eduaid.core.sealing import Opener, Sealer

_CONTEXT = b"file"


class NotStored(Exception):
    """The disk took the file not or not wholly; nothing of it is left under any name."""


def store(data: bytes, key: DataKey) -> str:
    """Seals and writes the bytes durably; returns the name they are stored under. A crash leaves no half file under it.

    Raises NotStored where the disk is full or refuses.
    """
    name = secrets.token_hex(16)
    relative = f"{name[:2]}/{name}"
    path = settings.FILES_DIR / relative
    sealed = Sealer(key).seal(data, _CONTEXT)
    unfinished = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        for left in (unfinished, path):
            with contextlib.suppress(OSError):
                left.unlink()
        raise NotStored(os.strerror(error.errno or 0)) from error
    return relative


def forget(stored_as: str) -> None:
    """Removes a file whose row was never committed."""
    with contextlib.suppress(OSError):
        (settings.FILES_DIR / stored_as).unlink()


def _sync_folder(folder: Path) -> None:
    """A name is durable only when its folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(stored_as: str) -> bytes:
    """The bytes as they were delivered. Raises sealing.Unreadable or FileNotFoundError."""
    return Opener().open((settings.FILES_DIR / stored_as).read_bytes(), _CONTEXT)
