"""Users and their posts. What a user may do and see follows from the posts held today, from nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

import pghistory
from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .calendar import DateRange


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractBaseUser):
    """A person with an account. There is no superuser: rights come from posts (docs/architecture.md)."""

    username = models.CharField("账号", max_length=40, unique=True, validators=[UnicodeUsernameValidator()])
    display_name = models.CharField("姓名", max_length=40)
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("下次登录须改密码", default=False)
    created_at = models.DateTimeField("建立时间", default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"

    class Meta:
        verbose_name = verbose_name_plural = "账号"
        ordering = ["username"]

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    @property
    def is_staff(self) -> bool:
        """Whether the admin site opens; asked by Django once a request, answered from the posts."""
        return self.has_perm("core.use_admin")

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_active and any(
            hasattr(backend, "has_perm") and backend.has_perm(self, perm, obj) for backend in get_backends()
        )

    def has_perms(self, perms: list[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(
            hasattr(backend, "has_module_perms") and backend.has_module_perms(self, app_label)
            for backend in get_backends()
        )


class Duty(models.TextChoices):
    """The families of posts that exclude one another: business work and the three administrators (三员分立)."""

    BUSINESS = "business", "业务"
    SYSTEM = "system", "系统管理员"
    SECURITY = "security", "安全管理员"
    AUDIT = "audit", "审计管理员"


class RoleKey(models.TextChoices):
    """The posts that exist; what each may do stands in `eduaid.core.roles`."""

    AID_OFFICER = "aid-officer", "资助专干"
    DROPOUT_OFFICER = "dropout-officer", "控辍保学专干"
    LEADER = "leader", "局领导"
    DATA_ADMIN = "data-admin", "数据管理员"
    TOWN_HEAD = "town-head", "中心校校长"
    SCHOOL_HEAD = "school-head", "学校负责人"
    TEACHER = "teacher", "包保教师"
    AUDITOR = "auditor", "审计员"
    SYSTEM_ADMIN = "system-admin", "系统管理员"
    SECURITY_ADMIN = "security-admin", "安全管理员"
    AUDIT_ADMIN = "audit-admin", "审计管理员"


class PostQuerySet(models.QuerySet["Post"]):
    def held_on(self, day: dt.date) -> Self:
        return self.filter(from_on__lte=day).filter(Q(until_on=None) | Q(until_on__gte=day))


@pghistory.track()
class Post(models.Model):
    """User × role × region or school, from one day to another. `duty` is the role's family, set with the role."""

    user = models.ForeignKey(User, models.PROTECT, related_name="posts", verbose_name="账号")
    role = models.CharField("岗位", max_length=20, choices=RoleKey.choices)
    duty = models.CharField("类别", max_length=10, choices=Duty.choices, editable=False)
    region = models.ForeignKey(
        "core.Region", models.PROTECT, null=True, blank=True, related_name="posts", verbose_name="区域"
    )
    school = models.ForeignKey(
        "core.School", models.PROTECT, null=True, blank=True, related_name="posts", verbose_name="学校"
    )
    from_on = models.DateField("任职起", default=dt.date.today)
    until_on = models.DateField("任职止", null=True, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "岗位"
        ordering = ["user", "role"]
        constraints = [
            models.CheckConstraint(
                condition=Q(region__isnull=True, school__isnull=False) | Q(region__isnull=False, school__isnull=True),
                name="post_at_a_region_or_a_school",
            ),
            models.CheckConstraint(
                condition=Q(until_on=None) | Q(until_on__gte=F("from_on")), name="post_ends_after_start"
            ),
            # 三员分立: whoever holds a post of one family holds none of another at the same time.
            ExclusionConstraint(
                name="post_duties_exclude_one_another",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("duty", RangeOperators.NOT_EQUAL),
                    (DateRange("from_on", "until_on", RangeBoundary(inclusive_upper=True)), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:

        return f"{self.region or self.school} {self.get_role_display()}"
