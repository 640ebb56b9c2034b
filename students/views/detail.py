"""P23 学生档案: what is known of a child, from which row of which list, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import access, codes, display
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students import actions, numbers, provenance, timeline
from students.forms import DecisionForm
from students.models import Correction, Enrolment, Household, Identifier, Student
from students.models.people import HouseholdKind, HukouRelation
from students.precedence import BY_KEY
from students.provenance import Origin, Provenance, Source
from students.views.common import Where, answers_for, crumbs, student_in_scope, where
from students.wording import in_words


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    source: Where | None = None
    note: str = ""
    reveal_url: str = ""


@dataclass(frozen=True)
class Group:
    title: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Shown:
    """A number shown in full, once, for some seconds."""

    label: str
    value: str
    seconds: int


@dataclass(frozen=True)
class Contested:
    """A correction that a newer list contradicts, and the form that settles it."""

    label: str
    corrected: str
    listed: str
    made: str
    url: str
    form: DecisionForm


_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("身份", ("name", "sex", "birth", "id", "registry-number", "ethnicity")),
    ("户籍与就读", ("hukou", "schooling", "boarding")),
    ("情况", ("left-behind", "migrant", "orphan", "disability")),
)
_REVEALED = {"id": "id", "registry-number": "registry"}


@needs(Right.SEE_CHILDREN)
def student(request: AccountRequest, public_id: str) -> HttpResponse:
    """Each opening is logged (未成年人网络保护条例 art. 36)."""
    child = student_in_scope(public_id, request.scope)
    access.note(by=request.user, action=Action.VIEW, subject_kind="student", subject_id=child.pk, page=request.path)
    return page(request, child)


@require_POST
@needs(Right.CORRECT)
def decide(request: AccountRequest, public_id: str, pk: int) -> HttpResponse:
    """Settles a correction that a newer list contradicts."""
    child = student_in_scope(public_id, request.scope)
    correction = Correction.objects.filter(pk=pk, student=child).select_related("student").first()
    if correction is None:
        raise Http404
    form = _decision_form(correction, request)
    if not form.is_valid():
        return page(request, child, decision=(correction.pk, form))
    try:
        actions.decide(
            correction,
            keep=form.cleaned_data["choice"] == "keep",
            by=request.user,
            reason=form.cleaned_data["reason"],
        )
    except actions.NotPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"『{BY_KEY[correction.concept].label}』已按您的决定办理。")
    return redirect("student", public_id)


def page(
    request: AccountRequest,
    child: Student,
    *,
    shown: Shown | None = None,
    decision: tuple[int, DecisionForm] | None = None,
) -> HttpResponse:
    """The whole page; `shown` right after a reveal, `decision` when its form has to be filled in again."""
    scope, user = request.scope, request.user
    mine = answers_for(scope, child)
    told = provenance.of(child, scope)
    older = request.GET.get("older", "")
    before = int(older) if older.isdigit() and len(older) < 19 else None
    history = timeline.of(child, scope, responsible=mine, before=before)
    here = reverse("student", args=[child.public_id])
    contested = _contested(told, child, decision, request) if may(user, Right.CORRECT) else []
    return render(
        request,
        "students/detail.html",
        {
            "crumbs": crumbs(Link(child.name or child.public_id)),
            "student": child,
            "form": decision[1] if decision else None,
            "state": _state(child),
            "flags": _flags(child),
            "withdrawn": child.is_withdrawn and child.merged_into_id is None,
            "waiting": [where(source) for source in told.sources if not source.in_force],
            "has_waiting_row": child.has_waiting_row,
            "merged_into": _merged_into(request, child),
            "contested": contested,
            "groups": [
                *_groups(child, told, may(user, Right.REVEAL)),
                *_family(child, told, mine, may(user, Right.REVEAL)),
            ],
            "shown": shown,
            "households": _households(request, child),
            "sections": [_enrolments(request, child), _corrections(told, mine), _numbers(child)],
            "other_names": list(child.aliases.order_by("name").values_list("name", flat=True)),
            "merge_url": reverse("student-merge", args=[child.public_id])
            if may(user, Right.MATCH) and child.merged_into_id is None
            else "",
            "sources": [_listed(source) for source in told.visible_sources()],
            "beyond": sorted({source.kind_label for source in told.sources if not source.in_scope}),
            "timeline": history.moments,
            "older_url": f"{here}?older={history.older_than}#timeline" if history.older_than else "",
            "newest_url": f"{here}#timeline" if before is not None else "",
            "correct_url": reverse("admin:students_student_change", args=[child.pk])
            if _correctable(request, child)
            else "",
        },
    )


def _correctable(request: AccountRequest, child: Student) -> bool:
    return may(request.user, Right.CORRECT) and child.merged_into_id is None


def _state(child: Student) -> display.State:
    if child.merged_into_id is not None:
        return display.State("mute", "已并入")
    if child.is_withdrawn:
        return display.State("mute", "来源已撤回")
    if child.in_roster:
        return display.State("ok", "在校")
    return display.State("warn", "有学籍不在班") if child.in_registry else display.State("mute", "不在本县班级名册")


def _flags(child: Student) -> list[display.State]:
    flags = []
    if child.has_waiting_row:
        flags.append(display.State("warn", "待改"))
    if child.school_id and (relation := getattr(child, "hukou_relation", "")):
        flags.append(display.State("mute", str(HukouRelation(relation).label)))
    if child.in_poverty:
        flags.append(display.State("mute", "建档立卡"))
    if child.in_hardship:
        flags.append(display.State("mute", "困难群体"))
    return flags


def _merged_into(request: AccountRequest, child: Student) -> Link | None:
    """The record that goes on; without its name and address where it lies beyond the reader's scope."""
    if child.merged_into_id is None:
        return None
    canonical = Student.objects.within(request.scope).filter(pk=child.merged_into_id).first()
    if canonical is None:
        return Link("另一份档案（不在您的范围内）")
    return Link(f"{canonical.name}（{canonical.public_id}）", reverse("student", args=[canonical.public_id]))


# --- what is known ---------------------------------------------------------------------------------------------


def _groups(child: Student, told: Provenance, may_reveal: bool) -> list[Group]:
    return [
        Group(title, [_fact(child, told.origins[key], may_reveal) for key in keys if _worth_showing(told.origins[key])])
        for title, keys in _GROUPS
        if any(_worth_showing(told.origins[key]) for key in keys)
    ]


def _worth_showing(origin: Origin) -> bool:
    return bool(origin.value) or origin.concept.key not in ("left-behind", "migrant", "orphan", "disability")


def _fact(child: Student, origin: Origin, may_reveal: bool) -> Fact:
    what = _REVEALED.get(origin.concept.key)
    hidden = what is not None and bool(origin.value)
    return Fact(
        label=origin.concept.label,
        value=origin.value,
        source=_source(origin),
        note=_note(origin),
        reveal_url=reverse("student-reveal", args=[child.public_id, what]) if hidden and may_reveal else "",
    )


def _source(origin: Origin) -> Where | None:
    if origin.correction is not None:
        made = origin.correction
        return Where(f"更正：{made.made_by}，{display.dense_date(made.made_at)}，{made.reason}")
    return where(origin.source) if origin.source is not None and origin.value else None


def _note(origin: Origin) -> str:
    """What stands under a correction: the row whose value it replaced."""
    if origin.correction is None or origin.source is None:
        return ""
    return f"名单：{where(origin.source).text}"


def _family(child: Student, told: Provenance, mine: bool, may_reveal: bool) -> list[Group]:
    """The guardian for the school's side; phones and address as far as the reader's own lists hold them, masked."""
    facts = []
    if mine and told.origins["guardian"].value:
        facts.append(_fact(child, told.origins["guardian"], may_reveal))
    for number, masked in numbers.masked_contacts(told):
        url = reverse("student-reveal", args=[child.public_id, number.key]) if may_reveal else ""
        facts.append(Fact(number.label, masked, reveal_url=url))
    return [Group("家庭联系", facts)] if facts else []


# --- household, schooling, corrections -------------------------------------------------------------------------


def _households(request: AccountRequest, child: Student) -> list[dict[str, object]]:
    """The child's households that lie in scope, with the other children in them. Two queries."""
    keys = {HouseholdKind.HUKOU: child.hukou_household_id, HouseholdKind.POVERTY: child.poverty_household_id}
    wanted = [pk for pk in keys.values() if pk]
    homes = Household.objects.within(request.scope).filter(pk__in=wanted).order_by("kind")
    visible = Student.objects.within(request.scope).listed().exclude(pk=child.pk).select_related("school")
    siblings = list(
        (visible.filter(hukou_household__in=wanted) | visible.filter(poverty_household__in=wanted)).order_by(
            "birth_on", "id"
        )
    )
    return [
        {
            "label": f"{home.get_kind_display()}：{home}",
            "url": reverse("household", args=[home.pk]),
            "type": codes.POVERTY_STATUS.label(home.poverty_type),
            "persons": home.persons,
            "members": [
                {"name": s.name, "url": reverse("student", args=[s.public_id]), "text": _schooling(s)}
                for s in siblings
                if home.pk in (s.hukou_household_id, s.poverty_household_id)
            ],
        }
        for home in homes
    ]


def _schooling(child: Student) -> str:
    return f"{child.school.name} {codes.GRADE.label(child.grade)}" if child.school else ""


def _listed(source: Source) -> dict[str, object]:
    """A row that names the child, for the table of sources."""
    state = display.State("ok", "生效中") if source.in_force else display.State("warn", "待改")
    return {
        "kind": source.kind_label,
        "file": source.file,
        "sheet": source.sheet,
        "line": source.line,
        "effective_on": source.effective_on,
        "url": where(source).url,
        "state": display.State("warn", "沿用，新名单待改") if source.is_held else state,
    }


def _enrolments(request: AccountRequest, child: Student) -> dict[str, object]:
    # Terms that only a merged file went through hang on that file.
    whose = Q(student=child) | Q(student__merged_into=child)
    rows = Enrolment.objects.within(request.scope).filter(whose).select_related("term", "school")
    return {
        "title": "就读经历",
        "empty": "还没有就读记录：没有班级名册或学籍写到这名学生。",
        "columns": ["学期", "学校", "年级班级", "就读方式", "依据"],
        "rows": [
            [
                str(row.term),
                row.school.name,
                f"{codes.GRADE.label(row.grade)}{row.class_name}" or display.NONE,
                {True: "寄宿", False: "走读", None: display.NONE}[row.boarding],
                "、".join(word for word, is_in in (("班级名册", row.in_roster), ("学籍", row.in_registry)) if is_in),
            ]
            for row in rows
        ],
    }


def _numbers(child: Student) -> dict[str, object]:
    """Every number under which lists found the child, also those of files merged into this one; the numbers stay hidden."""
    today = {bytes(mark) for mark in (child.id_digest, child.registry_digest) if mark}
    labels = {Identifier.ID_NUMBER: "证件号", Identifier.REGISTRY_NUMBER: "学籍号"}
    rows = [
        [
            labels.get(number.kind, number.kind),
            display.dense_date(number.since),
            display.State("ok", "现用")
            if bytes(number.digest) in today
            else display.State("mute", "曾用或别的名单所写"),
        ]
        for number in Identifier.objects.filter(Q(student=child) | Q(student__merged_into=child)).order_by(
            "kind", "since"
        )
    ]
    return {
        "title": "认得这名学生的号码",
        "empty": "名单里没有这名学生可用的证件号或学籍号。",
        "columns": ["号码", "最早见于", "状态"],
        "rows": rows,
    }


def _corrections(told: Provenance, mine: bool) -> dict[str, object]:
    rows = [
        [
            BY_KEY[made.concept].label,
            in_words(made.concept, made.replaced, told.places) or "（空）",
            in_words(made.concept, made.values, told.places) or "（空）",
            made.reason,
            f"{made.made_by} {display.dense_date(made.made_at)}",
            _standing(made),
        ]
        for made in told.corrections
        if mine or made.concept != "guardian"
    ]
    return {
        "title": "更正",
        "empty": "没有更正过，全部取自名单。",
        "columns": ["更正项", "名单原值", "更正为", "原因", "更正人", "状态"],
        "rows": rows,
    }


def _standing(correction: Correction) -> display.State:
    if correction.revoked_at is not None:
        return display.State("mute", f"{display.dense_date(correction.revoked_at)} 撤销")
    return display.State("warn", "与新名单不一致") if correction.contested_by else display.State("ok", "有效")


# --- contradicted corrections ----------------------------------------------------------------------------------


def _decision_form(correction: Correction, request: AccountRequest | None = None) -> DecisionForm:
    data: Mapping[str, str] | None = request.POST if request is not None else None
    return DecisionForm(data, prefix=f"c{correction.pk}")


def _contested(
    told: Provenance, child: Student, decision: tuple[int, DecisionForm] | None, request: AccountRequest
) -> list[Contested]:
    filled = dict([decision]) if decision else {}
    return [
        Contested(
            label=BY_KEY[made.concept].label,
            corrected=in_words(made.concept, made.values, told.places) or "（空）",
            listed=in_words(made.concept, made.contested_by, told.places) or "（空）",
            made=f"{made.made_by}，{display.dense_date(made.made_at)}，{made.reason}",
            url=reverse("correction-decide", args=[child.public_id, made.pk]),
            form=filled.get(made.pk) or _decision_form(made),
        )
        for made in told.corrections
        if made.revoked_at is None and made.contested_by is not None
    ]
