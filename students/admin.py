"""P60 数据更正: the admin site for the data administrator.

Saving a child makes corrections; nothing here writes a resolved value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tablib
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import XLSX
from import_export.forms import ExportForm
from import_export.resources import ModelResource

from eduaid.core import access, codes, display
from eduaid.core.models import Region, User
from eduaid.core.models.access import Action
from eduaid.core.models.places import Stage
from eduaid.core.roles import Right, may
from eduaid.core.scope import Scope
from eduaid.core.text import guard_formula
from students import actions, search, timeline
from students.forms import CorrectionForm, RevokeForm
from students.models import Correction, Enrolment, Household, Student
from students.precedence import BY_KEY
from students.wording import Places, in_words

# --- what the list of children can be narrowed by --------------------------------------------------------------


class _TownFilter(admin.SimpleListFilter):
    """By township; the stock filter would offer every village of the country."""

    field: str

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return list(Region.objects.townships().values_list("code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.field}__code": self.value()}) if self.value() else queryset


class HukouTownFilter(_TownFilter):
    title, parameter_name, field = "户籍乡镇", "hukou", "hukou_town"


class SchoolTownFilter(_TownFilter):
    title, parameter_name, field = "学校所在乡镇", "town", "school_town"


class StageFilter(admin.SimpleListFilter):
    title, parameter_name = "学段", "stage"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(stage.value, str(stage.label)) for stage in Stage]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(grade__startswith=self.value()) if self.value() else queryset


class CorrectedFilter(admin.SimpleListFilter):
    title, parameter_name = "更正", "corrected"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("yes", "有更正"), ("contested", "更正与新名单不一致")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(pk__in=Correction.objects.holding().values("student"))
            case "contested":
                return queryset.filter(pk__in=Correction.objects.contested().values("student"))
        return queryset


# --- the masked export -----------------------------------------------------------------------------------------


def _shown(label: str, value: Callable[[Student], object]) -> Field:
    """A column as pages show it: text, numbers masked, nothing that a spreadsheet could take for a formula."""
    field = Field(column_name=label, readonly=True)
    field.get_value = lambda student: guard_formula(str(value(student) or ""))
    return field


class StudentResource(ModelResource):
    """Children as a list to work with outside; numbers are masked, without exception."""

    public_id = _shown("档案号", lambda s: s.public_id)
    name = _shown("姓名", lambda s: s.name)
    sex = _shown("性别", lambda s: s.get_sex_display())
    birth_on = _shown("出生日期", lambda s: s.birth_on)
    masked_id = _shown("证件号", lambda s: s.masked_id)
    hukou = _shown("户籍", lambda s: _hukou(s))
    school = _shown("就读学校", lambda s: s.school)
    grade = _shown("年级", lambda s: codes.GRADE.label(s.grade))
    class_name = _shown("班级", lambda s: s.class_name)
    boarding = _shown("就读方式", lambda s: {True: "寄宿", False: "走读", None: ""}[s.boarding])

    class Meta:
        model = Student
        fields = (
            "public_id", "name", "sex", "birth_on", "masked_id", "hukou", "school", "grade", "class_name", "boarding",
        )  # fmt: skip
        name = "学生（号码已隐藏）"


def _hukou(student: Student) -> str:
    if student.hukou_town is None:
        return "县外" if student.hukou_outside else ""
    return f"{student.hukou_town.name}{student.hukou_village.name if student.hukou_village else ''}"


# --- children --------------------------------------------------------------------------------------------------


class ReadOnly(admin.ModelAdmin):
    """Rows that come from lists: looked at here, never added, changed or deleted."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Student)
class StudentAdmin(ExportMixin, ReadOnly):
    form = CorrectionForm
    list_display = ("name", "masked_number", "sex", "birth_on", "hukou", "school", "class_label", "standing")
    list_filter = (
        StageFilter, SchoolTownFilter, HukouTownFilter, CorrectedFilter, "in_population", "in_registry", "in_roster",
        "has_waiting_row",
    )  # fmt: skip
    list_select_related = ("hukou_town", "hukou_village", "school")
    search_fields = ("name",)
    search_help_text = "按姓名（中间两个字也行）或拼音首字母。号码请用业务页面的搜索。"
    ordering = ("pinyin", "id")
    readonly_fields = ("public_id", "masked_number", "standing")
    fieldsets = (
        (None, {"fields": ("public_id", "standing")}),
        ("身份", {"fields": ("name", "sex", "birth_on", "ethnicity", "masked_number", "id_kind", "id_number")}),
        ("户籍", {"fields": ("hukou_town", "hukou_village", "hukou_outside")}),
        ("就读", {"fields": ("school", "grade", "class_name", "boarding")}),
        ("情况", {"fields": ("left_behind", "migrant", "orphan", "disability", "guardian")}),
        ("为什么更正", {"fields": ("reason",)}),
    )
    resource_classes = [StudentResource]
    export_formats = [XLSX]
    export_form_class = ExportForm
    change_form_template = "admin/students/student/change_form.html"
    object_history_template = "admin/students/student/object_history.html"

    @admin.display(description="证件号", ordering="id_prefix")
    def masked_number(self, student: Student) -> str:
        return student.masked_id or "—"

    @admin.display(description="户籍", ordering="hukou_town__code")
    def hukou(self, student: Student) -> str:
        return _hukou(student) or "—"

    @admin.display(description="年级班级", ordering="grade")
    def class_label(self, student: Student) -> str:
        return f"{codes.GRADE.label(student.grade)}{student.class_name}" or "—"

    @admin.display(description="名单")
    def standing(self, student: Student) -> str:
        if student.is_withdrawn:
            return "来源已撤回"
        named = [
            word
            for word, is_in in (
                ("户籍", student.in_population), ("学籍", student.in_registry), ("名册", student.in_roster),
                ("建档立卡", student.in_poverty), ("困难群体", student.in_hardship),
            )
            if is_in
        ]  # fmt: skip
        return "、".join(named) + ("；有待改的行" if student.has_waiting_row else "")

    def view_on_site(self, student: Student) -> str:
        return reverse("student", args=[student.public_id])

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(_user(request), Right.CORRECT)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may(_user(request), Right.EXPORT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Student]:
        return Student.objects.visible_to(_user(request)).filter(merged_into=None).order_by("pinyin", "id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        students: Any = queryset
        return (search.named(students, search.read(search_term)) if search_term.strip() else queryset), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Opening a child here is logged as on its page."""
        if request.method == "GET" and (child := kwargs.get("obj")):
            access.note(
                by=_user(request), action=Action.VIEW, subject_kind="student", subject_id=child.pk, page=request.path
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Student, form: ModelForm[Any], change: bool) -> None:
        """One correction for each concept that was changed, all with the same reason; the row itself is not saved."""
        assert isinstance(form, CorrectionForm)
        for concept, values in form.changes().items():
            try:
                actions.correct(
                    obj, concept=concept, values=values, by=_user(request), reason=form.cleaned_data["reason"]
                )
            except actions.CannotCorrect as refusal:
                messages.error(request, str(refusal))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """What was before and after, by whom and from which list: the child's own history, not the admin's log."""
        child = self.get_object(request, object_id)
        if not isinstance(child, Student):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        older = request.GET.get("older", "")
        before = int(older) if older.isdigit() and len(older) < 19 else None
        history = timeline.of(child, Scope.of(_user(request)), responsible=True, before=before)
        context = {
            **self.admin_site.each_context(request),
            "title": f"经过：{child}",
            "subtitle": None,
            "module_name": str(self.opts.verbose_name_plural),
            "object": child,
            "opts": self.opts,
            "moments": history.moments,
            "older_than": history.older_than,
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.object_history_template, context)

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Any], file_format: Any) -> str:
        return f"students-{timezone.localdate():%Y%m%d}.{file_format.get_extension()}"

    def get_data_for_export(self, request: HttpRequest, queryset: QuerySet[Any], **kwargs: Any) -> tablib.Dataset:
        """Logged with the number of rows; the last line says who took the list and when."""
        data = super().get_data_for_export(request, queryset, **kwargs)
        user = _user(request)
        access.note(
            by=user,
            action=Action.EXPORT,
            subject_kind="student",
            page=request.path,
            purpose="更正名单（号码已隐藏）",
            rows=len(data),
        )
        mark = f"导出：{user}（{user.username}） {display.dense_moment(timezone.now())}，共 {len(data)} 人，号码已隐藏"
        data.append([mark, *[""] * (data.width - 1)])
        return data


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


# --- corrections -----------------------------------------------------------------------------------------------


class StandingFilter(admin.SimpleListFilter):
    title, parameter_name = "状态", "standing"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("holding", "有效"), ("contested", "与新名单不一致"), ("revoked", "已撤销")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions = {
            "holding": Q(revoked_at=None),
            "contested": Q(revoked_at=None, contested_by__isnull=False),
            "revoked": Q(revoked_at__isnull=False),
        }
        return queryset.filter(conditions[value]) if (value := self.value()) in conditions else queryset


class ConceptFilter(admin.SimpleListFilter):
    title, parameter_name = "更正项", "concept"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(concept.key, concept.label) for concept in BY_KEY.values() if concept.correctable]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(concept=self.value()) if self.value() else queryset


class _CorrectionList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Names the places that the page's corrections mention in two queries."""
        super().get_results(request)
        shown = list(self.result_list)
        places = Places.of(said for made in shown for said in (made.values, made.replaced, made.contested_by or {}))
        for made in shown:
            made.places = places
        self.result_list = shown


@admin.register(Correction)
class CorrectionAdmin(ReadOnly):
    form = RevokeForm
    list_display = ("student", "concept_label", "before", "after", "reason", "made_by", "made_at", "standing")
    list_display_links = ("student", "concept_label")
    list_filter = (StandingFilter, ConceptFilter, "made_at")
    list_select_related = ("student", "made_by")
    search_fields = ("student__name",)
    search_help_text = "按学生姓名"
    readonly_fields = (
        "child", "concept_label", "before", "after", "contested", "reason", "made_by", "made_at", "standing",
    )  # fmt: skip
    change_form_template = "admin/students/correction/change_form.html"

    @admin.display(description="学生")
    def child(self, made: Correction) -> str:
        url = reverse("student", args=[made.student.public_id])
        return format_html('<a href="{}">{}（{}）</a>', url, made.student.name, made.student.public_id)

    @admin.display(description="更正项", ordering="concept")
    def concept_label(self, made: Correction) -> str:
        return BY_KEY[made.concept].label

    @admin.display(description="名单原值")
    def before(self, made: Correction) -> str:
        return in_words(made.concept, made.replaced, _places(made)) or "（空）"

    @admin.display(description="更正为")
    def after(self, made: Correction) -> str:
        return in_words(made.concept, made.values, _places(made)) or "（空）"

    @admin.display(description="新名单的值")
    def contested(self, made: Correction) -> str:
        if made.contested_by is None:
            return "—"
        return in_words(made.concept, made.contested_by, _places(made)) or "（空）"

    @admin.display(description="状态")
    def standing(self, made: Correction) -> str:
        if made.revoked_at is not None:
            return f"{display.dense_date(made.revoked_at)} 撤销"
        return "与新名单不一致，请在学生档案中决定" if made.contested_by else "有效"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        asks = [] if obj is None or not self.has_change_permission(request, obj) else ["revoke_reason"]
        return [*self.readonly_fields, *asks]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        ended = isinstance(obj, Correction) and obj.revoked_at is not None
        return may(_user(request), Right.CORRECT) and not ended

    def view_on_site(self, made: Correction) -> str:
        return reverse("student", args=[made.student.public_id])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        visible = Student.objects.visible_to(_user(request)).values("pk")
        return super().get_queryset(request).filter(student__in=visible)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _CorrectionList

    def save_model(self, request: HttpRequest, obj: Correction, form: ModelForm[Any], change: bool) -> None:
        """The only change that there is: taking the correction back."""
        try:
            actions.revoke(obj, by=_user(request), reason=form.cleaned_data["revoke_reason"])
        except actions.NotPossible as refusal:
            messages.error(request, str(refusal))


def _places(made: Correction) -> Places:
    """Read once for a list of corrections; for a single one when it is asked."""
    found: Places = getattr(made, "places", None) or Places.of([made.values, made.replaced, made.contested_by or {}])
    return found


# --- households and enrolments ---------------------------------------------------------------------------------


@admin.register(Household)
class HouseholdAdmin(ReadOnly):
    list_display = ("number", "kind", "head", "town", "village", "type_label", "persons", "is_listed")
    list_filter = ("kind", "is_listed")
    list_select_related = ("town", "village")
    search_fields = ("head", "number")
    search_help_text = "按户主姓名或户编号"
    readonly_fields = list_display
    fields = list_display

    @admin.display(description="户类型", ordering="poverty_type")
    def type_label(self, home: Household) -> str:
        return codes.POVERTY_STATUS.label(home.poverty_type) or "—"

    def view_on_site(self, home: Household) -> str:
        return reverse("household", args=[home.pk])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Household]:
        return Household.objects.visible_to(_user(request))


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnly):
    list_display = ("student", "term", "school", "grade_label", "class_name", "boarding", "in_registry", "in_roster")
    list_filter = ("term", "boarding", "in_registry", "in_roster")
    list_select_related = ("student", "term__year", "school")
    search_fields = ("student__name",)
    search_help_text = "按学生姓名"
    readonly_fields = list_display
    fields = list_display

    @admin.display(description="年级", ordering="grade")
    def grade_label(self, enrolment: Enrolment) -> str:
        return codes.GRADE.label(enrolment.grade) or "—"

    def view_on_site(self, enrolment: Enrolment) -> str:
        return reverse("student", args=[enrolment.student.public_id])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        return Enrolment.objects.visible_to(_user(request))
