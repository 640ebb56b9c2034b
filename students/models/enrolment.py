"""Enrolments: one per child and term, resolved from the class roster, then the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pghistory
from django.db import models
from django.db.models import Q

from eduaid.core.models.places import Stage
from eduaid.core.scope import Scope

if TYPE_CHECKING:
    from eduaid.core.models import User


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def visible_to(self, user: User) -> Self:
        return self.within(Scope.of(user))

    def within(self, scope: Scope) -> Self:
        if scope.county:
            return self
        seen = Q(student__hukou_town__in=scope.towns) | Q(school__town__in=scope.towns) | Q(school__in=scope.schools)
        return self.filter(seen | Q(student__in=scope.children)) if scope.children else self.filter(seen)


# The first enrolment of a term is told by its rows; history keeps what became of it.
@pghistory.track(pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Enrolment(models.Model):
    student = models.ForeignKey(
        "students.Student", models.PROTECT, related_name="enrolments", verbose_name="学生", db_index=False
    )  # enrolment_once_a_term begins with it
    # Term and school are held by triggers, once a statement: eduaid.core.database.references.
    term = models.ForeignKey(
        "core.Term", models.PROTECT, related_name="+", verbose_name="学期", db_index=False, db_constraint=False
    )
    school = models.ForeignKey(
        "core.School", models.PROTECT, related_name="enrolments", verbose_name="学校", db_constraint=False
    )
    grade = models.CharField("年级", max_length=2, default="", blank=True)
    class_name = models.CharField("班级", max_length=20, default="", blank=True)
    boarding = models.BooleanField("寄宿", null=True, blank=True)
    in_registry = models.BooleanField("学籍有", default=False)
    in_roster = models.BooleanField("班级名册有", default=False)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "就读"
        ordering = ["-term__starts_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["student", "term"], name="enrolment_once_a_term"),
            models.CheckConstraint(condition=Q(in_registry=True) | Q(in_roster=True), name="enrolment_named_by_a_list"),
        ]

    def __str__(self) -> str:
        return f"{self.term} {self.school}"

    @property
    def stage_label(self) -> str:
        return Stage(self.grade[:1]).label if self.grade else ""
