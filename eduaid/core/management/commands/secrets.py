"""`manage.py secrets FOLDER`: the secret files that docker-compose.yml mounts, made once."""

import argparse
import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from eduaid.core.sealing import new_keyring


class Command(BaseCommand):
    help = "Make the secret files of docker-compose.yml in FOLDER; what exists is left as it is."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """The folder is closed to others; the files in it are readable, as containers run under another number."""
        self.folder: Path = options["folder"]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        superuser = self.keep("postgres_password", password())
        self.keep("database_superuser_url", f"postgresql://postgres:{superuser}@db:5432/postgres")
        self.keep("database_owner_url", f"postgresql://eduaid_owner:{password()}@db:5432/eduaid")
        self.keep("database_url", f"postgresql://eduaid_app:{password()}@db:5432/eduaid")
        broker = self.keep("valkey_password", password())
        self.keep("redis_url", f"redis://:{broker}@valkey:6379/0")
        rules = ["dir /data", "appendonly yes", 'save ""', "maxmemory-policy noeviction"]
        self.keep("valkey_conf", "\n".join([f"requirepass {broker}", *rules]) + "\n")
        self.keep("secret_key", secrets.token_urlsafe(50))
        self.keep("keyring", new_keyring())
        self.stdout.write(f"密钥文件在 {self.folder}。请把 keyring 另存一份,与数据库备份分开:没有它,加密内容无法读出。")

    def keep(self, name: str, text: str) -> str:
        path = self.folder / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            path.chmod(0o444)
        return path.read_text(encoding="utf-8")


def password() -> str:
    return secrets.token_hex(24)
