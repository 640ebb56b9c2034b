"""Letters 协查函: whom to ask about, one letter a county, its children and what was answered. The Word file is made in reports."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from dropout import inquiries
from dropout.models import InquiredChild, InquiryLetter
from dropout.proof_forms import AnswerForm, LetterForm
from dropout.views.proof_common import crumbs, figure_of, own_area, say_at, shown, tabs
from eduaid.core.roles import Right, today
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, paged
from eduaid.core.views.policy import AccountRequest, needs

_REPLY_WITHIN = dt.timedelta(days=15)


@needs(Right.VERIFY)
def letters(request: AccountRequest) -> HttpResponse:
    area = own_area(request)
    page = paged(request, InquiryLetter.objects.select_related("written_by"))
    places = [
        {"place": place, "children": list(group), "url": f"{reverse('letter-new')}?place={place}"}
        for place, group in groupby(inquiries.to_ask_about(), key=inquiries.place_of)
    ]
    return shown(
        request,
        "evidence/letters.html",
        {
            "crumbs": crumbs(Link("协查函")),
            "tabs": tabs(request, "letters"),
            "kpis": [
                {"figure": figure_of(request, key, area), "more": ""}
                for key in ("inquiry", "inquiry.answered", "inquiry.waiting")
            ],
            "places": places[:40],
            "rows": [(letter, reverse("letter", args=[letter.pk])) for letter in page.rows],
            "page": page,
        },
    )


@needs(Right.VERIFY)
def letter_new(request: AccountRequest) -> HttpResponse:
    place = request.POST.get("place", "") or request.GET.get("place", "")
    found = inquiries.to_ask_about(place)
    if not place or not found:
        raise Http404("没有要向这个县协查的学生")
    chosen = {int(pk) for pk in request.POST.getlist("child") if pk.isdigit()} or {one.pk for one in found}
    county = found[0].at_county
    form = LetterForm(
        request.POST if request.method == "POST" else None,
        initial={"to_office": f"{county}教育局", "reply_by": today() + _REPLY_WITHIN},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = inquiries.write([one for one in found if one.pk in chosen], by=request.user, **form.cleaned_data)
        except inquiries.CannotWrite as refusal:
            say_at(form, refusal.field, str(refusal))
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"已拟好协查函{made}。下载 Word 后按公文程序签发。")
            return redirect("letter", made.pk)
    return shown(
        request,
        "evidence/letter_new.html",
        {
            "crumbs": crumbs(Link("协查函", reverse("letters")), Link("新拟")),
            "place": place,
            "form": form,
            "children": [(one, one.pk in chosen) for one in found[:200]],
            "back_url": reverse("letters"),
        },
    )


@needs(Right.VERIFY)
def letter(request: AccountRequest, pk: int) -> HttpResponse:
    return _letter_page(request, pk)


def _letter_page(
    request: AccountRequest, pk: int, asked: InquiredChild | None = None, form: AnswerForm | None = None
) -> HttpResponse:
    made = InquiryLetter.objects.select_related("written_by").filter(pk=pk).first()
    if made is None:
        raise Http404
    children = made.children.within(request.scope).select_related("student", "student__hukou_town")
    return shown(
        request,
        "evidence/letter.html",
        {
            "crumbs": crumbs(Link("协查函", reverse("letters")), Link(str(made))),
            "letter": made,
            "children": [
                (
                    one,
                    form if asked is not None and one.pk == asked.pk else AnswerForm(prefix=f"a{one.pk}"),
                    reverse("letter-answer", args=[made.pk, one.pk]),
                )
                for one in children
            ],
            "form": form,
            "word_url": reverse("letter-word", args=[made.pk]),
            "back_url": reverse("letters"),
        },
    )


@needs(Right.VERIFY)
def letter_answer(request: AccountRequest, pk: int, child_pk: int) -> HttpResponse:
    one = InquiredChild.objects.within(request.scope).filter(pk=child_pk, letter=pk).first()
    if one is None or request.method != "POST":
        raise Http404
    form = AnswerForm(request.POST, prefix=f"a{one.pk}")
    if not form.is_valid():
        return _letter_page(request, pk, one, form)
    try:
        inquiries.answer(
            one,
            said=form.cleaned_data["answer"],
            note=form.cleaned_data["note"],
            on=form.cleaned_data["on"],
            by=request.user,
        )
    except inquiries.CannotWrite as refusal:
        say_at(form, refusal.field, str(refusal))
        return _letter_page(request, pk, one, form)
    messages.success(request, "已登记答复。对方寄来的复函可作为取证材料登记。")
    return redirect("letter", pk)
