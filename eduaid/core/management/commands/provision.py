"""`manage.py provision`: the two database roles and the database, made by a superuser once before the first upgrade."""

import argparse
from typing import Any

import environ
from django.core.management.base import BaseCommand, CommandError

from eduaid.core.provisioning import provision
from eduaid.core.servers import ServicesError

env = environ.FileAwareEnv()


class Command(BaseCommand):
    help = (
        "Create the owner role, the application role and the database that DATABASE_OWNER_URL and DATABASE_URL name, "
        "if they are absent, and set the roles' passwords to those of the URLs. Can be repeated."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--superuser-url", help="default: DATABASE_SUPERUSER_URL, or DATABASE_SUPERUSER_URL_FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        superuser_url = options["superuser_url"] or self.required("DATABASE_SUPERUSER_URL")
        try:
            provision(superuser_url, self.required("DATABASE_OWNER_URL"), self.required("DATABASE_URL"))
        except ServicesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("数据库账户与数据库已就绪。")

    def required(self, name: str) -> str:
        value = env.str(name, default="")
        if not value:
            raise CommandError(f"缺少环境变量 {name}(或 {name}_FILE)。")
        return str(value)
