"""What the commands of this app ask for by text: a place, a date, and where the program is reached."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.management.base import CommandError

from eduaid.core.models import Term
from eduaid.core.scope import EVERYTHING
from reports.areas import Area, NoSuchArea, area_for
from reports.moments import Moment, NotADate


def area_named(code: str) -> Area:
    try:
        return area_for(EVERYTHING, code)
    except NoSuchArea as error:
        raise CommandError(str(error)) from None


def moment_named(as_of: str, known_at: str = "") -> Moment:
    """Raises CommandError for a date that cannot be used, or that lies before the first term."""
    try:
        moment = Moment.asked(as_of, known_at)
        Term.objects.at(moment.as_of)
    except (NotADate, Term.DoesNotExist) as error:
        raise CommandError(str(error)) from None
    return moment


def site_address() -> str:
    """Scheme and host for links in files that no request asks for."""
    origins: list[str] = settings.CSRF_TRUSTED_ORIGINS
    return origins[0].rstrip("/") if origins else f"http://localhost:{os.environ.get('EDUAID_PORT', '8000')}"
