"""The outbox: what each resolve changed, for whatever follows from it in the apps above (docs/architecture.md)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class ChangeSet(models.Model):
    """Written in the transaction that resolved. `students` are the ids whose resolved values were written."""

    made_at = models.DateTimeField(default=timezone.now)
    cause = models.CharField(max_length=20, help_text="applied, undone, corrected, decided, opened-term")
    upload = models.ForeignKey("core.Upload", models.PROTECT, null=True, related_name="changes")
    students = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        ordering = ["id"]


class Cursor(models.Model):
    """How far one follower has read the outbox."""

    follower = models.CharField(max_length=40, primary_key=True)
    seen = models.BigIntegerField(default=0)
