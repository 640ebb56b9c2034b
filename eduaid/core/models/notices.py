"""Notices: something happened that a user waits for. One row a user, never one a spreadsheet row."""

from django.db import models
from django.utils import timezone


class Notice(models.Model):
    user = models.ForeignKey("core.User", models.CASCADE, related_name="notices", verbose_name="收件人")
    text = models.CharField("内容", max_length=200)
    url = models.CharField("去处", max_length=200)
    created_at = models.DateTimeField("时间", default=timezone.now)
    read_at = models.DateTimeField("已读时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "消息"
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="notice_of_user")]
