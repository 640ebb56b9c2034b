"""Places over time: the region tree from province to village, and schools. Villages merge; old reports keep old borders."""

from __future__ import annotations

import datetime as dt
from typing import Self

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Level(models.TextChoices):
    PROVINCE = "province", "省"
    PREFECTURE = "prefecture", "市"
    COUNTY = "county", "县"
    TOWNSHIP = "township", "乡镇"
    VILLAGE = "village", "村"


class RegionQuerySet(models.QuerySet["Region"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(valid_from__lte=day).filter(Q(valid_until=None) | Q(valid_until__gt=day))

    def townships(self) -> Self:
        """The home county's townships, in the order of their codes."""
        return self.filter(level=Level.TOWNSHIP, parent__is_home=True).order_by("code")

    def home(self) -> Region:
        """The county that this installation serves; `Region.DoesNotExist` until it has been set up."""
        return self.get(is_home=True)


@pghistory.track()
class Region(models.Model):
    """A division of the country. A code is unique in its code system for a period: codes are reused after mergers."""

    code = models.CharField("代码", max_length=12)
    code_system = models.CharField("代码体系", max_length=40, default="统计用区划代码")
    name = models.CharField("名称", max_length=60)
    level = models.CharField("级别", max_length=12, choices=Level.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    valid_from = models.DateField("启用日期", default=dt.date(1949, 10, 1))
    valid_until = models.DateField("停用日期", null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from", verbose_name="并入"
    )
    is_home = models.BooleanField("本县", default=False)

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "区划"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code_system", "code", "valid_from"], name="region_code_once"),
            models.UniqueConstraint(fields=["is_home"], condition=Q(is_home=True), name="region_one_home_county"),
            models.CheckConstraint(condition=Q(is_home=False) | Q(level=Level.COUNTY), name="region_home_is_county"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")), name="region_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(valid_until__isnull=False), name="region_merged_has_ended"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stage(models.TextChoices):
    """Stages of schooling; the order is that of a child's life. Codes are our own (data tables name the official ones)."""

    KINDERGARTEN = "1", "学前"
    PRIMARY = "2", "小学"
    JUNIOR = "3", "初中"
    SENIOR = "4", "普通高中"
    VOCATIONAL = "5", "中职"
    HIGHER = "6", "高校"


class SchoolQuerySet(models.QuerySet["School"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(valid_from__lte=day).filter(Q(valid_until=None) | Q(valid_until__gt=day))

    def in_county(self) -> Self:
        return self.filter(is_outside=False)

    def lying_in(self, area: Region | School) -> Self:
        """Schools of the area: the home county, one township, or the school itself."""
        if isinstance(area, School):
            return self.filter(pk=area.pk)
        return self.in_county() if area.is_home else self.filter(town=area)


@pghistory.track()
class School(models.Model):
    """A school, kindergarten or college. Schools outside the county are kept too: children study there."""

    code = models.CharField("学校标识码", max_length=20, unique=True)
    name = models.CharField("学校名称", max_length=80)
    other_names = ArrayField(
        models.CharField(max_length=80),
        verbose_name="简称与曾用名",
        default=list,
        blank=True,
        help_text="名单里出现这些写法时，都认作本校",
    )
    stages = ArrayField(models.CharField(max_length=1, choices=Stage.choices), verbose_name="学段", default=list)
    kind = models.CharField("办学类型", max_length=20, default="公办", choices=[("公办", "公办"), ("民办", "民办")])
    town = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="schools",
        verbose_name="所在乡镇",
        help_text="县外学校可不填",
    )
    is_outside = models.BooleanField("县外学校", default=False)
    valid_from = models.DateField("启用日期", default=dt.date(1949, 10, 1))
    valid_until = models.DateField("停用日期", null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from", verbose_name="并入"
    )

    objects = SchoolQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学校"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_outside=True) | Q(town__isnull=False), name="school_inside_lies_in_a_township"
            ),
        ]

    def __str__(self) -> str:
        return self.name
