"""协查函 as a Word document; each download of full numbers is logged with everybody whom they concern."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from dropout.models import InquiryLetter
from eduaid.core import access
from eduaid.core.models import Region
from eduaid.core.models.access import Action
from eduaid.core.roles import Right
from eduaid.core.views.policy import AccountRequest, needs
from reports.documents import CONTENT_TYPE
from reports.letters import lines_of, write_letter


@require_POST
@needs(Right.VERIFY)
def letter_word(request: AccountRequest, pk: int) -> HttpResponse:
    letter = InquiryLetter.objects.filter(pk=pk).first()
    home = Region.objects.filter(is_home=True).first()
    if letter is None or home is None:
        raise Http404
    lines = lines_of(letter)
    access.note(
        by=request.user,
        action=Action.DOWNLOAD,
        subject_kind="inquiry-letter",
        subject_id=letter.pk,
        page=request.path,
        purpose=f"协查函{letter}{'（完整证件号）' if letter.full_numbers else ''}",
        rows=len(lines),
    )
    name = f"协查函{letter}_{letter.to_office}.docx"
    return HttpResponse(
        write_letter(letter, lines, home=home),
        content_type=CONTENT_TYPE,
        headers={"Content-Disposition": content_disposition_header(True, name) or "", "Cache-Control": "no-store"},
    )
