"""Who is who, by hand: one file merged into another, a row of a list given to another child; what it will do is shown first."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from eduaid.core.models import UploadRow
from eduaid.core.roles import Right
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students import crosscheck, identity
from students.actions import NotPossible
from students.forms import MergeForm, MoveForm, OtherFileForm, ReasonForm
from students.identity import Unsettled
from students.models import IdentityLink, Student
from students.views.common import crumbs, student_in_scope


@needs(Right.MATCH)
def merge(request: AccountRequest, public_id: str) -> HttpResponse:
    """Asks for the other file, shows what merging it would do and what has to be settled, then does it."""
    child = student_in_scope(public_id, request.scope)
    here, back = reverse("student-merge", args=[public_id]), reverse("student", args=[public_id])
    frame = {
        "crumbs": crumbs(Link(str(child), back), Link("合并档案")),
        "title": f"把另一份档案并入“{child}”",
        "back_url": back,
    }
    number = request.GET.get("other", "").strip().upper()
    if not number:
        form = OtherFileForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            found = Student.objects.within(request.scope).filter(public_id=form.cleaned_data["number"].upper()).first()
            if found is not None:
                return redirect(f"{here}?other={found.public_id}")
            form.add_error("number", "您的范围内没有这个档案号。请核对；外乡镇的档案请县局合并")
        question = "同一个孩子有两份档案时，合成一份。先填另一份的档案号，下一步会说明影响，再确认。"
        return render(request, "confirm.html", {**frame, "question": question, "form": form, "confirm_label": "下一步"})
    other = student_in_scope(number, request.scope)
    try:
        preview = identity.merge_preview(child, other)
        settling = MergeForm(request.POST or None, conflicts=preview.conflicts)
        if request.method == "POST" and settling.is_valid():
            identity.merge(
                keep=child,
                other=other,
                reason=settling.cleaned_data["reason"],
                by=request.user,
                settled=settling.settled,
            )
            crosscheck.compare([child.pk])
            messages.success(request, f"“{other}”已并入“{child}”，可以在比对决定里撤销。")
            return redirect(back)
    except (NotPossible, NotAllowed, Unsettled) as refusal:
        messages.warning(request, str(refusal))
        return redirect(back)
    question = f"“{child}”（{child.public_id}）与“{other}”（{other.public_id}）合为一份档案："
    return render(
        request,
        "confirm.html",
        {**frame, "question": question, "effects": preview.effects, "form": settling, "confirm_label": "合并"},
    )


@needs(Right.MATCH)
def move_row(request: AccountRequest, pk: int) -> HttpResponse:
    """Asks to whom a row of a list belongs, shows what giving it to that child would do, then does it."""
    link = (
        IdentityLink.objects.filter(row=pk, student__in=Student.objects.within(request.scope).values("pk"))
        .select_related("row__slice", "row__upload")
        .first()
    )
    if link is None:
        raise Http404
    row = UploadRow.objects.select_related("slice", "upload").get(pk=pk)
    here, back = reverse("row-move", args=[pk]), reverse("row-trace", args=[pk])
    frame = {
        "crumbs": crumbs(Link(f"第 {row.number} 行", back), Link("改认")),
        "title": "这一行写的是别的学生",
        "back_url": back,
    }
    asked = request.GET.get("to", "").strip()
    if not asked:
        form = MoveForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            number = form.cleaned_data["number"].upper()
            if not number:
                return redirect(f"{here}?to=new")
            if Student.objects.within(request.scope).filter(public_id=number).exists():
                return redirect(f"{here}?to={number}")
            form.add_error("number", "您的范围内没有这个档案号。请核对；外乡镇的档案请县局办理")
        question = "名单行归错了人时，改归另一份档案，或者新建一份。下一步会说明影响，再确认。"
        return render(request, "confirm.html", {**frame, "question": question, "form": form, "confirm_label": "下一步"})
    to = None if asked == "new" else student_in_scope(asked.upper(), request.scope)
    form_reason = ReasonForm(request.POST or None)
    if request.method == "POST" and form_reason.is_valid():
        try:
            made = identity.move_row(row, to=to, reason=form_reason.cleaned_data["reason"], by=request.user)
        except (NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
        else:
            crosscheck.compare([made.student_id, made.other_id or made.student_id])
            messages.success(request, "这一行已改认，可以在比对决定里撤销。")
        return redirect(back)
    preview = identity.move_preview(row, to)
    question = "改认这一行："
    return render(
        request,
        "confirm.html",
        {**frame, "question": question, "effects": preview.effects, "form": form_reason, "confirm_label": "改认"},
    )
