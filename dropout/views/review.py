"""P31 取证审核: one proof after the other, the picture beside what was written down; passed or returned with a reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from dropout import proof
from dropout.models import Evidence
from dropout.proof_forms import RETURN_REASONS, ReviewForm
from dropout.views.evidence import files_of, state_of
from dropout.views.proof_common import evidence_in_scope, figure_of, own_area, shown, tabs
from eduaid.core.roles import Right, may
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs


@needs(Right.SEE_CHILDREN)
def queue(request: AccountRequest) -> HttpResponse:
    """The oldest proof that waits and that somebody else recorded. Whoever does not review is led to the ledger."""
    if not may(request.user, Right.VERIFY):
        return redirect("evidence-list")
    return _queue(request)


def _queue(request: AccountRequest, form: ReviewForm | None = None, one: Evidence | None = None) -> HttpResponse:
    waiting = Evidence.objects.within(request.scope).waiting().exclude(verified_by=request.user)
    after = request.GET.get("after", "")
    if one is None:
        rows = waiting.select_related("student", "student__hukou_town", "verified_by").order_by("verified_at", "id")
        skipped = rows.filter(pk=int(after)).first() if after.isdigit() and len(after) < 19 else None
        if skipped is not None:
            one = rows.filter(verified_at__gte=skipped.verified_at).exclude(pk=skipped.pk).first()
        one = one or rows.first()
    own = Evidence.objects.within(request.scope).waiting().filter(verified_by=request.user).exists()
    return shown(
        request,
        "evidence/review.html",
        {
            "crumbs": [Link("取证审核")],
            "tabs": tabs(request, "evidence"),
            "waiting": figure_of(request, "evidence.waiting", own_area(request)),
            "one": one,
            "state": state_of(one) if one else None,
            "files": files_of(one) if one else [],
            "form": form or ReviewForm(),
            "reasons": RETURN_REASONS,
            "own_only": own and one is None,
            "skip_url": f"{reverse('evidence')}?after={one.pk}" if one else "",
            "child_url": reverse("evidence-child", args=[one.student.public_id]) if one else "",
        },
    )


@require_POST
@needs(Right.VERIFY)
def accept(request: AccountRequest, pk: int) -> HttpResponse:
    one = evidence_in_scope(pk, request)
    try:
        proof.accept(one, by=request.user)
    except (proof.NotPossible, NotAllowed) as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"已通过{one.student.name}的取证。")
    return redirect("evidence")


@require_POST
@needs(Right.VERIFY)
def send_back(request: AccountRequest, pk: int) -> HttpResponse:
    one = evidence_in_scope(pk, request)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _queue(request, form, one)
    try:
        proof.send_back(one, reason=form.cleaned_data["reason"], by=request.user)
    except (proof.CannotRecord, proof.NotPossible, NotAllowed) as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"已退回{one.student.name}的取证，登记人会看到原因。")
    return redirect("evidence")
