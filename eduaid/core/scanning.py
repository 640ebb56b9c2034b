"""Asking a virus scanner (clamd) about a file, where one is configured. The bytes go over its socket; nothing is written."""

from __future__ import annotations

import socket
import struct

from django.conf import settings

from eduaid.core.preflight import FileRefused

_SECONDS = 30
_PIECE = 1 << 20


def is_configured() -> bool:
    return bool(settings.CLAMD_ADDRESS)


def scan(data: bytes) -> None:
    """Raises FileRefused where the scanner names something, and where it cannot be asked: an unscanned file must not pass
    for a scanned one."""
    host, _, port = settings.CLAMD_ADDRESS.rpartition(":")
    try:
        with socket.create_connection((host or "127.0.0.1", int(port)), timeout=_SECONDS) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(data), _PIECE):
                piece = data[start : start + _PIECE]
                connection.sendall(struct.pack(">I", len(piece)) + piece)
            connection.sendall(struct.pack(">I", 0))
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < 1000 and (received := connection.recv(1000)):
                answer += received
    except (OSError, ValueError):
        raise FileRefused("unscanned") from None
    said = answer.rstrip(b"\0\n").decode("utf-8", "replace").removeprefix("stream: ")
    if said == "OK":
        return
    if said.endswith(" FOUND"):
        name = "".join(char for char in said.removesuffix(" FOUND") if char.isprintable())[:60]
        raise FileRefused("virus", name=name)
    raise FileRefused("unscanned")
