"""Who looked at what: a child's record, a number shown in full, a list exported (未成年人网络保护条例 art. 36)."""

from django.db import models
from django.utils import timezone


class Action(models.TextChoices):
    VIEW = "view", "查看档案"
    REVEAL = "reveal", "显示完整号码"
    SEARCH = "search", "按号码查找"
    EXPORT = "export", "导出名单"
    DOWNLOAD = "download", "下载原文件"
    REFUSED_ROW = "refused", "越权填报"


class AccessRecord(models.Model):
    """Append-only: the application role may insert and read, never change (see `core.database`)."""

    user = models.ForeignKey("core.User", models.PROTECT, related_name="accesses", verbose_name="账号")
    at = models.DateTimeField("时间", default=timezone.now, db_index=True)
    action = models.CharField("动作", max_length=10, choices=Action.choices)
    subject_kind = models.CharField("对象", max_length=20, help_text="student, upload, indicator …")
    subject_id = models.BigIntegerField("对象编号", null=True)
    page = models.CharField("页面", max_length=200)
    purpose = models.CharField("用途", max_length=100, default="")
    rows = models.PositiveIntegerField("行数", default=1)

    class Meta:
        verbose_name = verbose_name_plural = "查看与导出记录"
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="access_subject")]
