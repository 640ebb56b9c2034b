"""`manage.py upgrade`: brings the database to this version of the program, as its owner, and grants the application its rights."""

from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from eduaid.core.database import grant_rights


class Command(BaseCommand):
    help = "Migrate as the owner role and grant the application role its rights."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", interactive=False, verbosity=options["verbosity"])
        owner = connections["owner"]
        grant_rights(owner, role=str(connections["default"].settings_dict["USER"]))
        # Data that every county starts with, as the application: an app's configuration may bring some.
        for app in apps.get_app_configs():
            if load := getattr(app, "load_seeds", None):
                load()
