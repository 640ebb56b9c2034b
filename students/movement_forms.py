"""What somebody fills in who asks for a movement: only the fields that its kind needs."""

from __future__ import annotations

from typing import Any

from django import forms

from eduaid.core.forms.fields import DATE_HELP, DayField
from eduaid.core.models import School
from eduaid.core.roles import today
from eduaid.core.scope import Scope
from students.models import Student
from students.models.movements import ABSENCES, Authority, Kind
from students.moving import PAPERS, CannotMove, Request

_FROM = {Kind.SUSPENSION: "休学起", Kind.DEFERRAL: "缓学起", Kind.RESUMPTION: "复学日期"}


class MovementForm(forms.Form):
    to_school = forms.ChoiceField(label="转入学校", required=False)
    elsewhere = forms.CharField(label="去往的地点和学校", required=False, max_length=100)
    out_of_province = forms.BooleanField(label="在省外", required=False)
    from_on = DayField(label="起始日期")
    until_on = DayField(label="截止日期", required=False, help_text=f"最后一天，最长一年。{DATE_HELP}")
    reason = forms.CharField(label="事由", required=False, max_length=200)
    authority = forms.ChoiceField(
        label="批准机关", required=False, choices=[("", "请选择"), *Authority.choices], help_text="义务教育法第十一条"
    )
    papers = forms.MultipleChoiceField(
        label="已查验的材料", required=False, widget=forms.CheckboxSelectMultiple, help_text="查验原件后勾选"
    )

    def __init__(self, *args: Any, kind: Kind, child: Student, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kind = kind
        self.fields["from_on"].initial = today()
        self.fields["from_on"].label = _FROM.get(kind, "起始日期")
        self.fields["papers"].choices = [  # type: ignore[attr-defined]
            (paper.key, paper.label if paper.needed else f"{paper.label}（如有）") for paper in PAPERS[kind]
        ]
        if kind in (Kind.TRANSFER, Kind.IN, Kind.ADMISSION):
            self._offer_schools(child, scope)
        else:
            del self.fields["to_school"]
        if kind not in (Kind.OUT, Kind.IN):
            del self.fields["elsewhere"], self.fields["out_of_province"]
        elif kind == Kind.IN:
            self.fields["elsewhere"].label = "原来的地点和学校"
        if kind not in ABSENCES:
            del self.fields["until_on"]
        if kind != Kind.DEFERRAL:
            del self.fields["authority"]

    def _offer_schools(self, child: Student, scope: Scope) -> None:
        """Of the child's stage: all of the county for a transfer, else the reader's own."""
        found = School.objects.in_county().valid_on(today()).select_related("town").order_by("town__code", "code")
        if child.grade:
            found = found.filter(stages__contains=[child.grade[:1]])
        self._schools = {school.code: school for school in found if self._kind == Kind.TRANSFER or scope.covers(school)}
        offered = [(code, f"{school}（{school.town}）") for code, school in self._schools.items()]
        self.fields["to_school"].choices = [("", "请选择"), *offered]  # type: ignore[attr-defined]
        self.fields["to_school"].label = "入学学校" if self._kind == Kind.ADMISSION else "转入学校"

    def asked(self) -> Request:
        said = self.cleaned_data
        return Request(
            kind=self._kind,
            from_on=said["from_on"],
            until_on=said.get("until_on"),
            reason=said["reason"],
            to_school=self._schools.get(said["to_school"]) if "to_school" in said else None,
            elsewhere=said.get("elsewhere", ""),
            out_of_province=bool(said.get("out_of_province")),
            papers=said["papers"],
            authority=said.get("authority", ""),
        )

    def refuse(self, refusal: CannotMove) -> None:
        """Puts the sentence to its field, or above the form."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
