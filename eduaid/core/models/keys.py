"""Data keys in their envelopes. Destroying a key makes all that was sealed with it unreadable, copies and history included."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class DataKey(models.Model):
    """One key for one list (its file and rows) or one child (acts, corrections), wrapped by a key of the key ring."""

    purpose = models.CharField(max_length=20)
    algorithm = models.CharField(max_length=10)
    wrapping_key = models.CharField(max_length=40, help_text="Name of the key in the ring that wraps this one.")
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(wrapped__isnull=False, destroyed_at=None) | Q(wrapped=None, destroyed_at__isnull=False),
                name="datakey_gone_when_destroyed",
            )
        ]
