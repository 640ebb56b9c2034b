"""P25 发放批次 and P26 one batch: control totals, the check, the notice, files to the bank and back; one award with its proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from eduaid.core import codes
from eduaid.core.display import State
from eduaid.core.indicators import area_of
from eduaid.core.models import Region, School, Term
from eduaid.core.preflight import FileRefused
from eduaid.core.roles import Right, may, today
from eduaid.core.uploads import clean_name
from eduaid.core.views.pages import Link, Option, Tab, address, options, paged
from eduaid.core.views.policy import AccountRequest, needs
from subsidies import bank_files, batches, notices, payments
from subsidies.ledger import NotAllowed, NotPossible
from subsidies.models import AidBatch, Award, Entry, Objection, Payment, PaymentFile, Programme, PublicNotice
from subsidies.models.batches import AwardState, BatchState, PaymentState
from subsidies.models.notices import Outcome
from subsidies.money import ZERO, Totals

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

BATCH_SHOWN = {
    BatchState.DRAFT: State("mute", "草稿"),
    BatchState.SUBMITTED: State("warn", "待审核"),
    BatchState.HALF: State("warn", "待二审"),
    BatchState.APPROVED: State("ok", "已审核"),
    BatchState.WITHDRAWN: State("mute", "已撤销"),
}
AWARD_SHOWN = {
    AwardState.DRAFT: State("mute", "草稿"),
    AwardState.APPROVED: State("warn", "待发放"),
    AwardState.SENT: State("warn", "已交银行"),
    AwardState.PAID: State("ok", "已发放"),
    AwardState.FAILED: State("bad", "发放失败"),
    AwardState.DUE_BACK: State("bad", "待追回"),
    AwardState.RECOVERED: State("mute", "已追回"),
    AwardState.CANCELLED: State("mute", "已取消"),
}


@dataclass(frozen=True)
class Line:
    """One batch in the ledger of batches."""

    title: str
    url: str
    programme: str
    term: str
    place: str
    totals: Totals | None
    state: State


@dataclass(frozen=True)
class AwardLine:
    name: str
    url: str
    school: str
    room: str
    amount: Decimal
    last4: str
    bank: str
    reason: str
    state: State


@dataclass(frozen=True)
class FileLine:
    mark: str
    bank: str
    heads: int
    amount: Decimal
    made: str
    url: str
    return_url: str
    recall_url: str
    is_out: bool


@dataclass(frozen=True)
class PaymentLine:
    mark: str
    number: int
    attempt: int
    amount: Decimal
    last4: str
    state: str
    reason: str
    on: object


@dataclass(frozen=True)
class EntryLine:
    deed: str
    on: object
    by: str
    note: str
    moved: Decimal


def _found(request: AccountRequest, pk: int) -> AidBatch:
    return get_object_or_404(
        AidBatch.objects.within(request.scope).select_related(
            "programme", "term", "region", "school", "school__town", "made_by", "submitted_by", "approved_by", "second_by",
            "withdrawn_by",
        ),
        pk=pk,
    )  # fmt: skip


# --- the ledger of batches ---------------------------------------------------------------------------------------


@needs(Right.SEE_FIGURES)
def index(request: AccountRequest) -> HttpResponse:
    found = AidBatch.objects.within(request.scope).select_related("programme", "term", "region", "school")
    state = request.GET.get("state", "")
    if state in BatchState.values:
        found = found.filter(state=state)
    page = paged(request, found)
    return render(
        request,
        "subsidies/batches.html",
        {
            "crumbs": [Link("学生资助"), Link("发放批次")],
            "page": page,
            "rows": [_line(batch) for batch in page.rows],
            "tabs": [
                Tab("全部", address(request, state="", page=""), state == ""),
                *(Tab(one.label, address(request, state=one.value, page=""), state == one.value) for one in BatchState),
            ],
            "new_url": reverse("aid-batch-new") if may(request.user, Right.UPLOAD) else "",
        },
    )


def _line(batch: AidBatch) -> Line:
    totals = Totals(batch.heads, batch.amount) if batch.heads is not None and batch.amount is not None else None
    return Line(
        str(batch), batch.get_absolute_url(), batch.programme.short_name, str(batch.term), batch.place.name, totals,
        BATCH_SHOWN[BatchState(batch.state)],
    )  # fmt: skip


@needs(Right.UPLOAD)
def new(request: AccountRequest) -> HttpResponse:
    """A batch from the entitlements of a place: GET asks for programme, term and place, POST makes it."""
    programmes = Programme.objects.open().in_totals()
    terms = Term.objects.filter(aid_closing=None)
    if request.method == "POST":
        try:
            made = batches.make_from_entitlement(
                programme=get_object_or_404(programmes, pk=_number(request, "programme")),
                term=get_object_or_404(terms, pk=_number(request, "term")),
                place=_place(request),
                by=request.user,
            )
        except (NotPossible, NotAllowed) as refusal:
            messages.error(request, str(refusal))
            return redirect("aid-batch-new")
        messages.success(request, "批次已建立（草稿）。请核对名单和收款账户，填写控制总数后提交。")
        return redirect(made)
    return render(
        request,
        "subsidies/batch_new.html",
        {
            "crumbs": [Link("学生资助"), Link("发放批次", reverse("aid-batches")), Link("新建")],
            "programmes": options(programmes.values_list("pk", "name"), None),
            "terms": options(((term.pk, str(term)) for term in terms), None),
            "places": _places(request),
        },
    )


def _places(request: AccountRequest) -> list[Option]:
    if request.scope.county:
        towns = Region.objects.filter(level="township", valid_until=None)
        home = Region.objects.filter(is_home=True)
        return [Option(one.code, one.name) for one in [*home, *towns.order_by("code")]]
    own = Region.objects.filter(pk__in=request.scope.towns).order_by("code")
    schools = School.objects.filter(pk__in=request.scope.schools).order_by("code")
    return [*(Option(one.code, one.name) for one in own), *(Option(one.code, one.name) for one in schools)]


def _place(request: AccountRequest) -> Region | School:
    try:
        place = area_of(request.POST.get("place", ""))
    except LookupError as error:
        raise Http404(str(error)) from None
    if not request.scope.covers(place):
        raise Http404
    return place


def _number(request: AccountRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not text.isdecimal():
        raise Http404
    return int(text)


# --- one batch ---------------------------------------------------------------------------------------------------


@needs(Right.SEE_FIGURES)
def batch(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    awards = found.awards.within(request.scope).select_related("school").order_by("pk")
    state = request.GET.get("state", "")
    if state in AwardState.values:
        awards = awards.filter(state=state)
    page = paged(request, awards)
    works = batches.may_work_on(found, request.user)
    refused = batches.why_not_approve(found, request.user)
    pays = may(request.user, Right.EXPORT) and may(request.user, Right.APPROVE)
    notice = found.notices.filter(taken_down_at=None).first()
    is_approved = found.state == BatchState.APPROVED
    return render(
        request,
        "subsidies/batch.html",
        {
            "crumbs": [Link("学生资助"), Link("发放批次", reverse("aid-batches")), Link(str(found))],
            "batch": found,
            "place": found.place.name,
            "state": BATCH_SHOWN[BatchState(found.state)],
            "counted": batches.counted(found),
            "page": page,
            "rows": [_award_line(award) for award in page.rows],
            "tabs": _award_tabs(request, state),
            "can_submit": works and found.state == BatchState.DRAFT,
            "can_approve": found.state in (BatchState.SUBMITTED, BatchState.HALF) and not refused,
            "why_not": refused if found.state in (BatchState.SUBMITTED, BatchState.HALF) else "",
            "can_withdraw": found.state != BatchState.WITHDRAWN and (may(request.user, Right.APPROVE) or works),
            "notice": notice,
            "notice_state": _notice_state(notice),
            "notice_url": request.build_absolute_uri(reverse("public-notice", args=[notice.address])) if notice else "",
            "objections": list(notice.objections.select_related("award")) if notice else [],
            "can_publish": is_approved and notice is None and may(request.user, Right.APPROVE),
            "can_object": notice is not None and works,
            "due": payments.due(found) if is_approved and pays else [],
            "pays": pays,
            "files": [_file_line(file) for file in _files(found)],
        },
    )


def _award_tabs(request: AccountRequest, state: str) -> list[Tab]:
    shown = (AwardState.APPROVED, AwardState.SENT, AwardState.PAID, AwardState.FAILED, AwardState.DUE_BACK)
    return [
        Tab("全部", address(request, state="", page=""), state == ""),
        *(Tab(one.label, address(request, state=one.value, page=""), state == one.value) for one in shown),
    ]


def _award_line(award: Award) -> AwardLine:
    grade = codes.GRADE.label(award.grade) if award.grade in codes.GRADE else ""
    return AwardLine(
        award.name, reverse("aid-award", args=[award.pk]), award.school.name if award.school else "",
        f"{grade}{award.class_name}", award.amount, award.card_last4, award.bank, award.reason,
        AWARD_SHOWN[AwardState(award.state)],
    )  # fmt: skip


def _files(found: AidBatch) -> QuerySet[PaymentFile]:
    sent = Payment.objects.filter(file=OuterRef("pk"), state=PaymentState.SENT)
    return found.files.select_related("made_by").annotate(is_out=Exists(sent))


def _file_line(file: PaymentFile) -> FileLine:
    def url(name: str) -> str:
        return reverse(name, args=[file.pk])

    return FileLine(
        file.mark, file.bank, file.heads, file.amount, f"{file.made_by}", url("aid-file"), url("aid-file-return"),
        url("aid-file-recall"), file.is_out,  # type: ignore[attr-defined]  # annotated by _files
    )  # fmt: skip


def _notice_state(notice: PublicNotice | None) -> State | None:
    if notice is None:
        return None
    if notice.is_running(today()):
        return State("ok", "公示中")
    return State("mute", "已期满撤下") if notice.is_over(today()) else State("warn", "未开始")


# --- what people do ------------------------------------------------------------------------------------------------


def _act(request: AccountRequest, then: str, act: Callable[[], object], done: str) -> HttpResponse:
    try:
        act()
    except (NotPossible, NotAllowed) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(then)


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", "").replace("，", "").strip())
    except InvalidOperation:
        raise NotPossible("金额请只填数字，单位是元，最多两位小数。") from None


@require_POST
@needs(Right.UPLOAD)
def submit(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)

    def act() -> None:
        heads = request.POST.get("heads", "").replace(",", "").strip()
        if not heads.isdecimal():
            raise NotPossible("人次请填整数。")
        batches.submit(found, heads=int(heads), amount=_amount(request.POST.get("amount", "")), by=request.user)

    return _act(request, found.get_absolute_url(), act, "已提交审核，控制总数与名单一致。")


@require_POST
@needs(Right.APPROVE)
def approve(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    return _act(request, found.get_absolute_url(), lambda: batches.approve(found, by=request.user), "审核已记录。")


@require_POST
@needs(Right.APPROVE)
def send_back(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    reason = request.POST.get("reason", "")
    return _act(
        request,
        found.get_absolute_url(),
        lambda: batches.send_back(found, by=request.user, reason=reason),
        "已退回制单人。",
    )


@require_POST
@needs(Right.UPLOAD, Right.APPROVE)
def withdraw(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    reason = request.POST.get("reason", "")
    return _act(
        request,
        found.get_absolute_url(),
        lambda: batches.withdraw(found, by=request.user, reason=reason),
        "批次已撤销。",
    )


@require_POST
@needs(Right.APPROVE)
def publish(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    contact, days = request.POST.get("contact", ""), request.POST.get("days", "")

    def act() -> None:
        if without := request.POST.get("without", ""):
            notices.go_without(found, by=request.user, reason=without)
        else:
            notices.publish(found, by=request.user, contact=contact, days=int(days) if days.isdecimal() else 5)

    return _act(request, found.get_absolute_url(), act, "已记录。公示期满自动撤下。")


@require_POST
@needs(Right.APPROVE)
def take_down(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    notice = get_object_or_404(found.notices, taken_down_at=None)
    reason = request.POST.get("reason", "")
    return _act(
        request,
        found.get_absolute_url(),
        lambda: notices.take_down(notice, by=request.user, reason=reason),
        "公示已撤下。",
    )


@require_POST
@needs(Right.UPLOAD)
def object_to(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    notice = get_object_or_404(found.notices, taken_down_at=None)
    text = request.POST.get("text", "")
    return _act(
        request, found.get_absolute_url(), lambda: notices.object_to(notice, by=request.user, text=text), "异议已登记。"
    )


@require_POST
@needs(Right.APPROVE)
def answer(request: AccountRequest, pk: int, objection: int) -> HttpResponse:
    found = _found(request, pk)
    one = get_object_or_404(Objection, pk=objection, notice__batch=found)
    outcome = request.POST.get("outcome", "")
    if outcome not in Outcome.values:
        raise Http404
    return _act(
        request,
        found.get_absolute_url(),
        lambda: notices.answer(one, by=request.user, outcome=Outcome(outcome), text=request.POST.get("text", "")),
        "异议已答复。",
    )


# --- to the bank and back --------------------------------------------------------------------------------------------


@require_POST
@needs(Right.EXPORT)
def export(request: AccountRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    bank = request.POST.get("bank", "")
    return _act(
        request,
        f"{found.get_absolute_url()}#files",
        lambda: payments.export(found, bank=bank, by=request.user),
        "发放文件已生成，请下载后交银行。同一行不会再生成第二次。",
    )


def _file(request: AccountRequest, pk: int) -> PaymentFile:
    return get_object_or_404(
        PaymentFile.objects.within(request.scope).select_related("batch", "batch__programme"), pk=pk
    )


@needs(Right.EXPORT)
def download(request: AccountRequest, pk: int) -> HttpResponse:
    """The bank's workbook, with card numbers in full; each download is logged."""
    file = _file(request, pk)
    try:
        rows = payments.rows_of(file, by=request.user, page=request.path)
    except NotAllowed as refusal:
        messages.error(request, str(refusal))
        return redirect(file.batch.get_absolute_url())
    data = bank_files.write_payment_file(rows, title=f"{file.batch.programme}发放明细（{file.bank}）")
    response = HttpResponse(data, content_type=XLSX)
    response["Content-Disposition"] = (
        content_disposition_header(True, clean_name(f"{file.mark}-{file.bank}.xlsx")) or ""
    )
    return response


@require_POST
@needs(Right.EXPORT)
def take_return(request: AccountRequest, pk: int) -> HttpResponse:
    file = _file(request, pk)
    then = f"{file.batch.get_absolute_url()}#files"
    sent = request.FILES.get("file")
    if sent is None:
        messages.error(request, "没有选择文件。请选择银行的回盘文件。")
        return redirect(then)
    try:
        answers = bank_files.read_return(sent.read(), sent.name or "", mark=file.mark)
        paid, failed = payments.record_return(
            file, answers, by=request.user, rest_is_paid=bool(request.POST.get("rest_is_paid"))
        )
    except (NotPossible, NotAllowed, FileRefused) as refusal:
        messages.error(request, str(refusal))
        return redirect(then)
    if failed:
        messages.warning(request, f"回盘已记录：成功 {paid:,} 笔，失败 {failed:,} 笔。失败的请改正账户后重新发放。")
        return redirect(f"{file.batch.get_absolute_url()}?state=failed")
    messages.success(request, f"回盘已记录：{paid:,} 笔全部成功。")
    return redirect(then)


@require_POST
@needs(Right.EXPORT)
def recall(request: AccountRequest, pk: int) -> HttpResponse:
    file = _file(request, pk)
    reason = request.POST.get("reason", "")
    return _act(
        request, f"{file.batch.get_absolute_url()}#files", lambda: payments.recall(file, by=request.user, reason=reason),
        "发放文件已收回，其中的人可以重新发放。",
    )  # fmt: skip


# --- one award -----------------------------------------------------------------------------------------------------


def _award(request: AccountRequest, pk: int) -> Award:
    return get_object_or_404(
        Award.objects.within(request.scope).select_related(
            "batch", "batch__region", "batch__school", "batch__school__town", "programme", "term", "school", "standard",
            "student", "row", "batch__approved_by",
        ),
        pk=pk,
    )  # fmt: skip


@needs(Right.SEE_CHILDREN)
def award(request: AccountRequest, pk: int) -> HttpResponse:
    """One child's money from the reason to the bank's answer: what an auditor asks for."""
    found = _award(request, pk)
    works = batches.may_work_on(found.batch, request.user)
    pays = may(request.user, Right.EXPORT) and may(request.user, Right.APPROVE)
    attempts = Payment.objects.filter(award=found).select_related("file").order_by("attempt")
    return render(
        request,
        "subsidies/award.html",
        {
            "crumbs": [
                Link("学生资助"),
                Link("发放批次", reverse("aid-batches")),
                Link(str(found.batch), found.batch.get_absolute_url()),
                Link(found.name),
            ],
            "award": found,
            "state": AWARD_SHOWN[AwardState(found.state)],
            "line": _award_line(found),
            "student_url": reverse("student", args=[found.student.public_id]),
            "row_url": reverse("row-trace", args=[found.row_id]) if found.row_id else "",
            "payments": [
                PaymentLine(
                    one.file.mark, one.number, one.attempt, one.amount, one.card_last4, one.get_state_display(), one.reason,
                    one.answered_on,
                )
                for one in attempts
            ],
            "entries": _entries(found),
            "can_fix": works and found.state in (AwardState.DRAFT, AwardState.APPROVED, AwardState.FAILED),
            "can_drop": works and found.state == AwardState.DRAFT and found.batch.state == BatchState.DRAFT,
            "can_cancel": may(request.user, Right.APPROVE) and found.state in (AwardState.APPROVED, AwardState.FAILED),
            "can_claim": pays and found.state == AwardState.PAID,
            "can_recover": pays and found.state == AwardState.DUE_BACK,
        },
    )  # fmt: skip


def _entries(found: Award) -> list[EntryLine]:
    lines = Entry.objects.filter(lines__award=found, lines__amount__gt=ZERO).select_related("by")
    return [
        EntryLine(one.get_deed_display(), one.happened_on, str(one.by), one.note, one.moved)
        for one in lines.annotate(moved=F("lines__amount")).order_by("pk")
    ]


@require_POST
@needs(Right.UPLOAD)
def fix(request: AccountRequest, pk: int) -> HttpResponse:
    found = _award(request, pk)
    given = request.POST
    return _act(
        request,
        reverse("aid-award", args=[pk]),
        lambda: batches.set_account(
            found,
            by=request.user,
            bank=given.get("bank", ""),
            holder=given.get("holder", ""),
            card=given.get("card", ""),
        ),
        "收款账户已改正，卡号已密封保存。",
    )


@require_POST
@needs(Right.UPLOAD)
def drop(request: AccountRequest, pk: int) -> HttpResponse:
    found = _award(request, pk)
    return _act(
        request, found.batch.get_absolute_url(), lambda: batches.drop(found, by=request.user), "已从批次中去掉。"
    )


@require_POST
@needs(Right.APPROVE)
def turn(request: AccountRequest, pk: int, deed: str) -> HttpResponse:
    """取消、追回、已收回、撤销追回, each with its reason."""
    found = _award(request, pk)
    reason = request.POST.get("reason", "")
    deeds: dict[str, Callable[[], object]] = {
        "cancel": lambda: batches.cancel(found, by=request.user, reason=reason),
        "claim": lambda: payments.claim(found, by=request.user, reason=reason),
        "recover": lambda: payments.recover(found, by=request.user),
        "forgive": lambda: payments.forgive(found, by=request.user, reason=reason),
    }
    if deed not in deeds:
        raise Http404
    return _act(request, reverse("aid-award", args=[pk]), deeds[deed], "已记账。")
