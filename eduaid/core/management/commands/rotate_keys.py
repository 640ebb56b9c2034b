"""`manage.py rotate_keys`: a new key-encrypting key wraps every data key; sealed values are not touched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from eduaid.core import sealing
from eduaid.core.commands import SystemCommand


class Command(SystemCommand):
    help = "Add a key to the ring and wrap every data key with it."

    def run(self, **options: Any) -> None:
        if settings.KEYRING.lstrip().startswith("{"):
            raise CommandError(
                "密钥环来自环境变量，程序不能改写。请在密钥管理处加入新密钥并设为 primary，重启后再运行本命令。"
            )
        path = Path(settings.KEYRING) if settings.KEYRING else settings.KEYRING_PATH
        self._add_key(path)
        sealing.ring.cache_clear()
        count = sealing.rewrap_all()
        self.stdout.write(
            f"已启用新密钥 {sealing.ring().primary}，重新封装数据密钥 {count} 个。请重启各服务，并另行备份密钥环。"
        )

    def _add_key(self, path: Path) -> None:
        """Writes the ring beside itself and renames: a crash leaves the old ring or the new one, never half of one."""
        text = sealing.with_new_primary(path.read_text(encoding="utf-8"))
        unfinished = path.with_suffix(".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
