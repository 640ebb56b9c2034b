"""`manage.py intake FILE… --kind KIND`: sends a list in as a user would, waits for the worker, and says what came of it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eduaid.core import departures, missing, uploads
from eduaid.core.commands import SystemCommand, place_named, user_named, wait_for
from eduaid.core.lists import UnknownKind, kind_of
from eduaid.core.models import ListSlice, Upload
from eduaid.core.models.uploads import Mode, State
from eduaid.core.review import said
from eduaid.core.roles import today
from eduaid.core.uploads import AlreadyUploaded, NotAllowed, NotPossible

_READ = [State.MAPPING, State.REVIEW, State.REFUSED, State.FAILED, State.CANCELLED]
_APPLIED = [State.IN_FORCE, State.FAILED, State.CANCELLED, State.UNDONE]


class Command(SystemCommand):
    help = "Send a list through the upload path and wait for the outcome."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--kind", required=True)
        parser.add_argument("--scope", help="code of the county, township or school; the county by default")
        parser.add_argument("--as-of", type=dt.date.fromisoformat, help="the list's date; today by default")
        parser.add_argument("--by", required=True, help="account that sends the list")
        parser.add_argument("--approve-by", help="account that approves it; without, the list stays to be reviewed")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.COMPLETE.value)
        parser.add_argument(
            "--missing",
            default=missing.PENDING,
            metavar="CODE",
            help="what is said of everybody whom the last list named and this one does not; 待核 by default",
        )
        parser.add_argument("--json", action="store_true", dest="as_json")
        parser.add_argument("--wait", type=float, default=900, help="seconds to wait for the worker")

    def run(self, **options: Any) -> None:
        try:
            answer = self.send(**options)
        except (NotAllowed, NotPossible, UnknownKind) as refusal:
            known = refusal.upload if isinstance(refusal, AlreadyUploaded) else None
            answer = (
                outcome(known) | {"message": str(refusal)}
                if known
                else {
                    "upload": None,
                    "state": "refused",
                    "counts": dict.fromkeys(_COUNTS, 0),
                    "message": str(refusal),
                    "findings": [_file_finding("refused", str(refusal))],
                }
            )
        self.stdout.write(json.dumps(answer, ensure_ascii=False) if options["as_json"] else words(answer))

    def send(self, **options: Any) -> dict[str, Any]:
        kind = kind_of(options["kind"])
        if options["missing"] not in {entry.code for entry in missing.answers(kind)}:
            known = "、".join(f"{entry.code} {entry.label}" for entry in missing.answers(kind))
            raise CommandError(f"“{kind.label}”名单没有去向“{options['missing']}”。可用的有：{known}")
        contents = []
        for path in options["files"]:
            try:
                contents.append((path.name, path.read_bytes()))
            except OSError as error:
                raise CommandError(f"读不到文件“{path}”：{error.strerror}。") from error
        by = user_named(options["by"])
        approver = user_named(options["approve_by"]) if options["approve_by"] else None
        upload = uploads.receive(
            kind=kind,
            contents=contents,
            place=place_named(options["scope"]),
            mode=Mode(options["mode"]),
            by=by,
            effective_on=options["as_of"] or today(),
        )
        wait_for([upload], until=_READ, seconds=options["wait"])
        explained = 0
        if approver is not None and upload.state == State.REVIEW and upload.rows_accepted:
            explained = departures.explain_group(upload, key="", code=options["missing"], by=by)
            uploads.submit(upload, by=by)
            uploads.approve(upload, by=approver)
            wait_for([upload], until=_APPLIED, seconds=options["wait"])
        code = options["missing"]
        said = {"code": code, "label": missing.label(code), "rows": explained}
        return outcome(upload) | ({"missing_as": said} if explained else {})


_COUNTS = {
    "read": "rows_read",
    "accepted": "rows_accepted",
    "waiting": "rows_waiting",
    "refused": "rows_refused",
    "repeated": "rows_repeated",
    "added": "rows_added",
    "changed": "rows_changed",
    "missing": "rows_missing",
    "unchanged": "rows_unchanged",
}


def outcome(upload: Upload) -> dict[str, Any]:
    """The list's state, counts and findings; values of persons' numbers are masked."""
    upload.refresh_from_db()
    state = upload.state
    if state == State.IN_FORCE and not ListSlice.objects.filter(upload=upload, is_current=True).exists():
        state = "superseded"
    findings = upload.findings.select_related("sheet", "row").order_by("sheet_id", "number", "id")
    listed = [
        {
            "sheet": item.sheet,
            "row": item.finding.number,
            "column": item.label,
            "code": item.finding.code,
            "level": item.finding.level,
            "message": item.text,
        }
        for item in said(upload, findings, in_full=False)
    ]
    if upload.error:
        listed.insert(0, _file_finding(upload.state, upload.error))
    return {
        "upload": upload.pk,
        "state": state,
        "counts": {name: getattr(upload, field) for name, field in _COUNTS.items()},
        "findings": listed,
    }


def _file_finding(code: str, sentence: str) -> dict[str, Any]:
    return {"sheet": "", "row": None, "column": "", "code": f"file-{code}", "level": "error", "message": sentence}


def words(answer: dict[str, Any]) -> str:
    counts = answer["counts"]
    lines = [
        f"名单 {answer['upload'] or '—'} 号：{answer['state']}　读取 {counts['read']} 行，可入库 {counts['accepted']}，待改 {counts['waiting']}，"
        f"不收 {counts['refused']}；新增 {counts['added']}，变更 {counts['changed']}，上期有本期无 {counts['missing']}，无变化 {counts['unchanged']}"
    ]
    if said := answer.get("missing_as"):
        lines.append(f"上期有本期无的 {said['rows']} 人记为：{said['label']}")
    if answer.get("message"):
        lines.append(answer["message"])
    lines += [f"  [{finding['level']}] {finding['sheet']} {finding['message']}" for finding in answer["findings"][:50]]
    if len(answer["findings"]) > 50:
        lines.append(f"  ……共 {len(answer['findings'])} 条")
    return "\n".join(lines)
