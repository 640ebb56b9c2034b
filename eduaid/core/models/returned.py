"""Workbooks that came back: marked by us, put right by the sender, dropped on the same list again."""

from django.db import models
from django.utils import timezone


class ReturnedFile(models.Model):
    """One corrected workbook: its bytes lie sealed in the file store under the list's data key, merged or not.

    What it changed stands in the list's cell edits and rows; the counts here say how much that was.
    """

    upload = models.ForeignKey("core.Upload", models.PROTECT, related_name="returned")
    name = models.CharField("文件名", max_length=255)
    size = models.PositiveIntegerField("字节数")
    sha256 = models.CharField("文件指纹", max_length=64)
    stored_as = models.CharField(max_length=80)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="上传人")
    at = models.DateTimeField("时间", default=timezone.now)
    merged_at = models.DateTimeField("合并时间", null=True)
    cells_changed = models.PositiveIntegerField("改动格数", default=0)
    rows_changed = models.PositiveIntegerField("改动行数", default=0)
    rows_added = models.PositiveIntegerField("新增行数", default=0)
    rows_withdrawn = models.PositiveIntegerField("删去行数", default=0)

    class Meta:
        ordering = ["upload", "pk"]

    def __str__(self) -> str:
        return self.name
