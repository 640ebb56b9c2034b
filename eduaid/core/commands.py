"""What the management commands share: they act for the bureau, and say what is wrong in one Chinese sentence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eduaid.core.models import Region, School, Upload, User
from eduaid.core.models.uploads import State
from eduaid.core.scope import everything


class SystemCommand(BaseCommand):
    """A command that sees every row. Subclasses write `run`."""

    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        with everything():
            self.run(**options)

    def run(self, **options: Any) -> None:
        raise NotImplementedError


def user_named(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"没有名为“{username}”的账号，或账号已停用。")
    return user


def place_named(code: str | None) -> Region | School:
    """A region or school by code; the home county when none is given."""
    if not code:
        return Region.objects.home()
    place = Region.objects.filter(code=code).order_by("-valid_from").first() or School.objects.filter(code=code).first()
    if place is None:
        raise CommandError(f"没有代码为“{code}”的区划或学校。")
    return place


def wait_for(uploads: Sequence[Upload], *, until: Sequence[State], seconds: float) -> None:
    """Waits until the worker has brought every upload to one of the states; refreshes them. Raises CommandError in time."""
    deadline = time.monotonic() + seconds
    waiting = list(uploads)
    while waiting:
        for upload in list(waiting):
            upload.refresh_from_db()
            if upload.state in until:
                waiting.remove(upload)
        if waiting and time.monotonic() > deadline:
            raise CommandError(
                f"等了 {seconds:.0f} 秒，名单 {waiting[0].pk} 号还没有处理完。请确认后台处理程序（celery worker）在运行，例如用 make up 启动。"
            )
        if waiting:
            time.sleep(0.1)
