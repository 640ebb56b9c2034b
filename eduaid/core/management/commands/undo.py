"""`manage.py undo UPLOAD --by USER --reason TEXT`: takes a list out of force; the older list shows again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eduaid.core import uploads
from eduaid.core.commands import SystemCommand, user_named
from eduaid.core.models import Upload
from eduaid.core.uploads import NotAllowed, NotPossible


class Command(SystemCommand):
    help = "Undo a list that is in force."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("upload", type=int)
        parser.add_argument("--by", help="account that undoes it; the approver by default")
        parser.add_argument("--reason", default="命令行撤回")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def run(self, **options: Any) -> None:
        upload = Upload.objects.filter(pk=options["upload"]).first()
        if upload is None:
            raise CommandError(f"没有名单 {options['upload']} 号。")
        by = user_named(options["by"]) if options["by"] else upload.approved_by
        if by is None:
            raise CommandError(f"名单 {upload.pk} 号没有生效，不用撤回。")
        try:
            buckets = uploads.undo(upload, by=by, reason=options["reason"])
        except (NotAllowed, NotPossible) as refusal:
            raise CommandError(str(refusal)) from refusal
        answer = {
            "upload": upload.pk,
            "state": "undone",
            "withdrawn": buckets.withdrawn,
            "kept": buckets.kept,
            "impossible": buckets.impossible,
        }
        self.stdout.write(
            json.dumps(answer, ensure_ascii=False)
            if options["as_json"]
            else f"名单 {upload.pk} 号已撤回：撤回 {buckets.withdrawn} 人，保留 {buckets.kept} 人，无法撤回 {buckets.impossible} 人"
        )
