"""The kernel's tables in the admin site: reference data in and out as spreadsheets, accounts, posts, the access log.

Who may open what follows from the posts (`eduaid.core.roles`); nothing is deleted here: places end, accounts are stopped, posts run
out.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from import_export.admin import ExportMixin, ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ExportForm

from eduaid.core import resources
from eduaid.core.forms.setup import EndPostForm, NewUserForm, PostForm, RecordForm, UserForm
from eduaid.core.models import AccessRecord, Post, Region, School, SchoolYear, Term, User
from eduaid.core.models.places import Stage


class Kept(admin.ModelAdmin):
    """Nothing is deleted, nothing is done to many rows at once."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Reference(ImportExportMixin, Kept):
    """Reference data: whoever may add and change it may do so by spreadsheet."""

    form: type[ModelForm[Any]] = RecordForm
    import_formats = [XLSX, CSV]
    export_formats = [XLSX, CSV]
    export_form_class = ExportForm

    def has_import_permission(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        return self.has_view_permission(request)

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """A confirmed import that failed after all says so; the library would report success for what it rolled back."""
        if result.has_errors() or result.has_validation_errors():
            messages.error(request, "没有导入：数据在确认之后有变动，或有行不能保存。请重新上传核对。")
            return redirect(f"admin:core_{self.opts.model_name}_import")
        answer: HttpResponse = super().process_result(result, request)
        return answer

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Any], file_format: Any) -> str:
        return f"{self.opts.model_name}-{timezone.localdate():%Y%m%d}.{file_format.get_extension()}"


@admin.register(Region)
class RegionAdmin(Reference):
    resource_classes = [resources.RegionResource]
    fields = ("code", "code_system", "name", "level", "parent", "valid_from", "valid_until", "merged_into")
    list_display = ("name", "code", "level", "parent", "valid_from", "valid_until", "merged_into")
    list_filter = ("level",)
    list_select_related = ("parent", "merged_into")
    search_fields = ("name", "code")
    search_help_text = "按名称或代码"
    autocomplete_fields = ("parent", "merged_into")

    def view_on_site(self, region: Region) -> str:
        return reverse("setup-region", args=[region.pk])


class StageFilter(admin.SimpleListFilter):
    title, parameter_name = "学段", "stage"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(stage.value, str(stage.label)) for stage in Stage]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(stages__contains=[self.value()]) if self.value() in Stage.values else queryset


class TownFilter(admin.SimpleListFilter):
    """The county's own townships only."""

    title, parameter_name = "乡镇", "town"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return list(Region.objects.townships().values_list("code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(town__code=self.value()) if self.value() else queryset


@admin.register(School)
class SchoolAdmin(Reference):
    resource_classes = [resources.SchoolResource]
    list_display = ("name", "code", "town", "stage_labels", "kind", "is_outside", "valid_until")
    list_filter = (StageFilter, TownFilter, "kind", "is_outside")
    list_select_related = ("town",)
    search_fields = ("name", "code", "other_names")
    search_help_text = "按校名、简称或标识码"
    autocomplete_fields = ("town", "merged_into")

    @admin.display(description="学段")
    def stage_labels(self, school: School) -> str:
        return "、".join(Stage(stage).label for stage in school.stages)

    def view_on_site(self, school: School) -> str:
        return reverse("setup-school", args=[school.pk])


@admin.register(SchoolYear)
class SchoolYearAdmin(Reference):
    resource_classes = [resources.SchoolYearResource]
    list_display = ("label", "starts_on", "ends_on")
    search_fields = ("label",)


@admin.register(Term)
class TermAdmin(Reference):
    resource_classes = [resources.TermResource]
    list_display = ("__str__", "year", "season", "starts_on", "ends_on")
    list_select_related = ("year",)
    list_filter = ("season",)


@admin.register(User)
class UserAdmin(ExportMixin, Kept):
    """Accounts without rights; what somebody may do is granted by somebody else, as posts."""

    resource_classes = [resources.UserResource]
    export_formats = [XLSX]
    export_form_class = ExportForm
    list_display = ("username", "display_name", "is_active", "must_change_password", "last_login")
    list_filter = ("is_active", "must_change_password")
    search_fields = ("username", "display_name")
    search_help_text = "按账号或姓名"

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        return super().get_form(
            request, obj, change, **kwargs | {"form": UserForm if obj else NewUserForm, "fields": None}
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["display_name", "is_active", "password"] if obj else ["username", "display_name", "password"]

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[Any], change: bool) -> None:
        form.save()

    def has_export_permission(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        return self.has_view_permission(request)

    def view_on_site(self, user: User) -> str:
        return reverse("setup-user", args=[user.pk])


class GrantForm(PostForm):
    """A post for somebody who is chosen here, too."""

    class Meta(PostForm.Meta):
        fields = ["user", *PostForm.Meta.fields]


@admin.register(Post)
class PostAdmin(Kept):
    """Posts are granted and end; a post that was held is never turned into another."""

    list_display = ("user", "role", "region", "school", "from_on", "until_on")
    list_filter = ("role",)
    list_select_related = ("user", "region", "school")
    search_fields = ("user__username", "user__display_name")
    search_help_text = "按账号或姓名"

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        return super().get_form(
            request, obj, change, **kwargs | {"form": EndPostForm if obj else GrantForm, "fields": None}
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["until_on"] if obj else ["user", "role", "region", "school", "from_on", "until_on"]

    def view_on_site(self, post: Post) -> str:
        return reverse("setup-user", args=[post.user_id])


@admin.register(AccessRecord)
class AccessRecordAdmin(Kept):
    """Who looked at what: read by the auditor, changed by nobody."""

    list_display = ("at", "user", "action", "subject_kind", "subject_id", "page", "purpose", "rows")
    list_filter = ("action", "at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__display_name", "purpose")
    search_help_text = "按账号、姓名或用途"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
