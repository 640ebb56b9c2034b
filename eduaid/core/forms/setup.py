"""P61: places, calendar, accounts and posts. What the database refuses is said in a sentence, at its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from eduaid.core.forms.account import InitialPasswordField
from eduaid.core.forms.fields import DayField, SinceField
from eduaid.core.models import Post, Region, School, SchoolYear, Term, User
from eduaid.core.models.accounts import Duty, RoleKey
from eduaid.core.models.calendar import Season
from eduaid.core.models.places import Level, Stage
from eduaid.core.roles import ROLES, Reach, role, today
from eduaid.core.text import tidy

# Constraint → the field at which it is told, and the sentence.
_SENTENCES: Mapping[str, tuple[str | None, str]] = {
    "region_code_once": ("code", "这个代码从这一天起已经有了。请核对代码，或改启用日期"),
    "region_one_home_county": (None, "本县已经登记过"),
    "region_ends_after_start": ("valid_until", "停用日期应晚于启用日期"),
    "region_merged_has_ended": ("valid_until", "并入其他区划的，请填写停用日期"),
    "school_inside_lies_in_a_township": ("town", "县内学校请选择所在乡镇；县外学校请勾选“县外学校”"),
    "schoolyear_ends_after_start": ("ends_on", "结束日期应晚于开始日期"),
    "schoolyear_no_overlap": ("starts_on", "与已有的学年重叠。请核对起止日期"),
    "term_once_a_year": ("season", "这个学年已经有这个学期"),
    "term_ends_after_start": ("ends_on", "结束日期应晚于开始日期"),
    "term_no_overlap": ("starts_on", "与已有的学期重叠。请核对起止日期"),
    "post_at_a_region_or_a_school": (None, "岗位要么属于一个区域，要么属于一所学校"),
    "post_ends_after_start": ("until_on", "任职止应不早于任职起"),
}


def _unchecked(exclude: object = None) -> None:
    """Stands in for an instance's own check of its constraints."""


class RecordForm(forms.ModelForm):
    """A model form that names a broken constraint in its own words instead of the constraint's name."""

    def _post_clean(self) -> None:
        """Django would check constraints with the instance and tell their names; here they follow, in our words."""
        self.instance.validate_constraints = _unchecked
        try:
            super()._post_clean()  # type: ignore[misc]
        finally:
            del self.instance.validate_constraints
        if not self.errors:
            self.validate_constraints()

    def validate_constraints(self) -> None:
        """The first constraint that is broken, also one over columns that the form sets itself; a later one may not even be
        computable (a range that ends before it starts)."""
        for model, constraints in self.instance.get_constraints():
            for constraint in constraints:
                try:
                    constraint.validate(model, self.instance)
                except ValidationError:
                    field, sentence = self.sentence_of(constraint.name)
                    self.add_error(field if field in self.fields else None, sentence)
                    return

    def sentence_of(self, constraint: str) -> tuple[str | None, str]:
        return _SENTENCES[constraint]

    def validate_unique(self) -> None:
        absent = {field.name for field in self.instance._meta.fields if field.name not in self.fields}
        try:
            self.instance.validate_unique(exclude=absent)
        except ValidationError as error:
            for name in error.message_dict:
                label = self.fields[name].label if name in self.fields else ""
                self.add_error(name if name in self.fields else None, f"「{label}」已经有了，不能重复")


class RegionForm(RecordForm):
    """A township or village (or, once, the county itself)."""

    valid_from = SinceField(label="启用日期")

    class Meta:
        model = Region
        fields = ["level", "parent", "name", "code", "valid_from"]

    def __init__(self, *args: Any, home: Region | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._home = home
        self.fields["code"].help_text = "统计用区划代码：县 6 位，乡镇 9 位，村 12 位"
        if home is None:
            for name in ("level", "parent"):
                del self.fields[name]
            self.fields["name"].label, self.fields["code"].label = "县名", "县的代码"
            return
        if self.instance.pk and self.instance.is_home:
            for name in ("level", "parent"):
                del self.fields[name]
            return
        level = self.fields["level"]
        level.choices = [(Level.TOWNSHIP, "乡镇"), (Level.VILLAGE, "村")]  # type: ignore[attr-defined]
        towns = Region.objects.townships().valid_on(today())
        parent = self.fields["parent"]
        parent.queryset = towns  # type: ignore[attr-defined]
        parent.label, parent.help_text = "所属乡镇", "登记村时选择；登记乡镇时不填"
        parent.empty_label = "（乡镇直属本县）"  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return tidy(self.cleaned_data["name"])

    def clean_code(self) -> str:
        code = tidy(self.cleaned_data["code"])
        if not code.isascii() or not code.isdigit():
            raise ValidationError("代码只能是数字。请核对")
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        region, code = self.instance, cleaned.get("code", "")
        if "level" not in self.fields:
            if self._home is None:
                region.level, region.is_home = Level.COUNTY, True
            if code and len(code) != 6:
                self.add_error("code", "县的代码应为 6 位")
            return cleaned
        village = cleaned.get("level") == Level.VILLAGE
        assert self._home is not None
        if village and cleaned.get("parent") is None and "parent" not in self.errors:
            self.add_error("parent", "请选择村所属的乡镇")
        if not village:
            cleaned["parent"] = self._home
        if code and len(code) != (12 if village else 9):
            self.add_error("code", f"{'村' if village else '乡镇'}的代码应为 {12 if village else 9} 位")
        elif code and not code.startswith(self._home.code):
            self.add_error("code", f"代码应以本县代码 {self._home.code} 开头")
        return cleaned


class EndRegionForm(RecordForm):
    """The end of a township or village: from which day it is gone, and what it has become."""

    valid_until = DayField(label="停用日期", help_text="从这一天起不再使用。此前的名单和报表仍按原区划")

    class Meta:
        model = Region
        fields = ["valid_until", "merged_into"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        merged = self.fields["merged_into"]
        merged.label, merged.help_text = "并入", "撤销而没有并入别处的，不填"
        same = Region.objects.filter(level=self.instance.level, code__startswith=self.instance.code[:6]).valid_on(
            today()
        )
        merged.queryset = same.exclude(pk=self.instance.pk).select_related("parent")  # type: ignore[attr-defined]
        merged.label_from_instance = _with_parent  # type: ignore[attr-defined]
        merged.empty_label = "（没有并入别处）"  # type: ignore[attr-defined]


def _with_parent(region: Region) -> str:
    return f"{region.parent.name}{region.name}" if region.level == Level.VILLAGE and region.parent else region.name


class SchoolForm(RecordForm):
    stages = forms.MultipleChoiceField(label="学段", choices=Stage.choices, widget=forms.CheckboxSelectMultiple)
    other_names = forms.CharField(
        label="简称与曾用名",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="一行一个。名单里出现这些写法时，都认作本校",
    )
    valid_from = SinceField(label="启用日期")
    valid_until = DayField(label="停用日期", required=False, help_text="撤并时填写；此前的名单仍归本校")

    class Meta:
        model = School
        fields = [
            "name",
            "code",
            "kind",
            "stages",
            "is_outside",
            "town",
            "other_names",
            "valid_from",
            "valid_until",
            "merged_into",
        ]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["other_names"] = "\n".join(self.instance.other_names)
        self.fields["code"].help_text = "10 位学校（机构）标识码；县外学校没有的，可填上级给的编号"
        town = self.fields["town"]
        town.queryset = Region.objects.townships().valid_on(today())  # type: ignore[attr-defined]
        town.empty_label = "（县外学校不选）"  # type: ignore[attr-defined]
        merged = self.fields["merged_into"]
        merged.queryset = School.objects.valid_on(today()).exclude(pk=self.instance.pk).order_by("name")  # type: ignore[attr-defined]
        merged.empty_label = "（没有并入别校）"  # type: ignore[attr-defined]
        if not self.instance.pk:
            del self.fields["merged_into"], self.fields["valid_until"]

    def clean_name(self) -> str:
        return tidy(self.cleaned_data["name"])

    def clean_code(self) -> str:
        return tidy(self.cleaned_data["code"]).upper()

    def clean_other_names(self) -> list[str]:
        names = dict.fromkeys(filter(None, map(tidy, self.cleaned_data["other_names"].splitlines())))
        if too_long := next((name for name in names if len(name) > 80), None):
            raise ValidationError(f"“{too_long[:20]}…”超过 80 个字")
        return list(names)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("merged_into") and not cleaned.get("valid_until"):
            self.add_error("valid_until", "并入别校的，请填写停用日期")
        start, end = cleaned.get("valid_from"), cleaned.get("valid_until")
        if start and end and end <= start:
            self.add_error("valid_until", "停用日期应晚于启用日期")
        return cleaned


class SchoolYearForm(RecordForm):
    """A school year with its two terms: entered together, because one without the other is of no use."""

    label = forms.CharField(label="学年", max_length=20, help_text="如 2026-2027")
    autumn_starts_on = DayField(label="秋季学期开始")
    autumn_ends_on = DayField(label="秋季学期结束")
    spring_starts_on = DayField(label="春季学期开始")
    spring_ends_on = DayField(label="春季学期结束")

    class Meta:
        model = SchoolYear
        fields = ["label"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._terms = {term.season: term for term in self.instance.terms.all()} if self.instance.pk else {}
        for season, term in self._terms.items():
            self.initial.update({f"{season}_starts_on": term.starts_on, f"{season}_ends_on": term.ends_on})

    def clean_label(self) -> str:
        label = tidy(self.cleaned_data["label"]).replace("—", "-").replace("–", "-").removesuffix("学年")
        first, dash, second = label.partition("-")
        if not (dash and first.isdigit() and second.isdigit() and len(first) == 4 and int(second) == int(first) + 1):
            raise ValidationError("学年写成相邻的两个年份，如 2026-2027")
        return label

    def clean(self) -> dict[str, Any]:
        """The year runs from the first day of autumn to the last of spring; the terms follow one another."""
        cleaned = super().clean() or {}
        days = [
            cleaned.get(name) for name in ("autumn_starts_on", "autumn_ends_on", "spring_starts_on", "spring_ends_on")
        ]
        if any(day is None for day in days):
            return cleaned
        for before, after, name, label in zip(
            days, days[1:], list(self.fields)[2:], ("秋季学期结束", "春季学期开始", "春季学期结束"), strict=False
        ):
            if after <= before:  # type: ignore[operator]
                self.add_error(name, f"「{label}」应晚于它前面的日期")
        self.instance.starts_on, self.instance.ends_on = days[0], days[3]
        return cleaned

    def sentence_of(self, constraint: str) -> tuple[str | None, str]:
        field, sentence = _SENTENCES[constraint]
        return {"starts_on": "autumn_starts_on", "ends_on": "spring_ends_on"}.get(field or "", field), sentence

    def save(self, commit: bool = True) -> SchoolYear:
        year: SchoolYear = super().save(commit)
        seasons = [Season.AUTUMN, Season.SPRING]
        spring = self._terms.get(Season.SPRING)
        if spring and self.cleaned_data["spring_starts_on"] > spring.starts_on:
            # The spring makes room before the autumn grows into it: terms never overlap, not even for a moment.
            seasons.reverse()
        for season in seasons:
            term = self._terms.get(season) or Term(year=year, season=season)
            term.starts_on = self.cleaned_data[f"{season}_starts_on"]
            term.ends_on = self.cleaned_data[f"{season}_ends_on"]
            term.save()
        return year


class NewUserForm(RecordForm):
    """An account without any right: the security administrator grants posts."""

    password = InitialPasswordField(label="初始密码")

    class Meta:
        model = User
        fields = ["username", "display_name"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["username"].help_text = "字母、数字和 @ . + - _，登录时使用，以后不改。不要用证件号或手机号"

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if username.isdigit() and len(username) >= 11:
            raise ValidationError("请不要用证件号、手机号作账号")
        return username

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        user.must_change_password = True
        user.save()
        return user


class UserForm(RecordForm):
    """Name, in use or not, and a new initial password when the old one is forgotten."""

    password = InitialPasswordField(label="重设密码（不改则留空）", required=False)

    class Meta:
        model = User
        fields = ["display_name", "is_active"]

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if self.cleaned_data["password"]:
            user.set_password(self.cleaned_data["password"])
            user.must_change_password = True
        user.save()
        return user


class PostForm(RecordForm):
    """A post to be granted. The role says whether it lies at the county, a township or a school."""

    from_on = DayField(label="任职起")
    until_on = DayField(label="任职止", required=False, help_text="不定期的不填")

    class Meta:
        model = Post
        fields = ["role", "region", "school", "from_on", "until_on"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = [("", "请选择"), *_ROLE_CHOICES]  # type: ignore[attr-defined]
        region, school = self.fields["region"], self.fields["school"]
        region.label, region.help_text = "乡镇", "中心校校长必选；县级岗位不选"
        region.queryset = Region.objects.townships().valid_on(today())  # type: ignore[attr-defined]
        region.empty_label = "（县级岗位不选）"  # type: ignore[attr-defined]
        school.help_text = "学校负责人、包保教师必选"
        school.queryset = School.objects.in_county().valid_on(today()).order_by("town__code", "name")  # type: ignore[attr-defined]
        school.empty_label = "（不是学校岗位不选）"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Puts the post where its role belongs and sets the family that excludes the others."""
        cleaned = super().clean() or {}
        key = cleaned.get("role")
        if not key:
            return cleaned
        held = role(key)
        self.instance.duty = held.duty
        at_school = held.reach is Reach.SCHOOL or key == RoleKey.TEACHER
        if at_school:
            cleaned["region"] = None
            if not cleaned.get("school") and "school" not in self.errors:
                self.add_error("school", f"“{held.label}”请选择学校")
        elif held.reach is Reach.TOWNSHIP:
            cleaned["school"] = None
            if not cleaned.get("region") and "region" not in self.errors:
                self.add_error("region", f"“{held.label}”请选择乡镇")
        else:
            if cleaned.get("region") or cleaned.get("school"):
                self.add_error(
                    "region" if cleaned.get("region") else "school", f"“{held.label}”是县级岗位，不选乡镇和学校"
                )
            cleaned["region"], cleaned["school"] = Region.objects.filter(is_home=True).first(), None
            if cleaned["region"] is None:
                self.add_error("role", "还没有登记本县。请先请系统管理员在“区划”中登记")
        return cleaned

    def sentence_of(self, constraint: str) -> tuple[str | None, str]:
        """三员分立 is told with the post that stands in the way."""
        if constraint != "post_duties_exclude_one_another":
            return _SENTENCES[constraint]
        start, end = self.instance.from_on, self.instance.until_on
        others = self.instance.user.posts.exclude(duty=self.instance.duty).exclude(until_on__lt=start)
        if end:
            others = others.exclude(from_on__gt=end)
        standing = "、".join(dict.fromkeys(post.get_role_display() for post in others))
        family = Duty(self.instance.duty)
        wanted = f"“{role(self.instance.role).label}”"
        return "role", (
            f"三员分立：这个账号同一时段已任“{standing}”，不能再任{wanted}"
            f"{'（业务岗位）' if family is Duty.BUSINESS else ''}。请先停用原岗位，或另建账号"
        )


_ROLE_CHOICES = [
    (duty.label, [(held.key.value, held.label) for held in ROLES.values() if held.duty is duty]) for duty in Duty
]


class EndPostForm(RecordForm):
    until_on = DayField(label="任职止", help_text="这一天之后不再有这个岗位的权限")

    class Meta:
        model = Post
        fields = ["until_on"]
