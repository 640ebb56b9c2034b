"""The columns that make a row a job: the row in PostgreSQL is the queue, the broker only wakes workers (docs/architecture.md)."""

from django.db import models


class Job(models.Model):
    """Something that a worker has to advance. `due` is set by whoever wants work done; functions in `core.jobs` do the rest.

    Invariant: a job with a live lease is worked on by exactly one attempt; `attempt` is the fence that an apply checks last.
    """

    due = models.BooleanField("待处理", default=False)
    lease_owner = models.CharField("处理者", max_length=80, default="", blank=True)
    lease_until = models.DateTimeField("占用至", null=True, blank=True)
    attempt = models.PositiveIntegerField("处理次数", default=0)
    failures = models.PositiveSmallIntegerField("失败次数", default=0)
    stage = models.CharField("步骤", max_length=12, default="", blank=True)
    stage_started_at = models.DateTimeField("步骤开始", null=True, blank=True)
    done = models.PositiveIntegerField("已处理行", default=0)
    total = models.PositiveIntegerField("总行数", default=0)
    cancel_requested = models.BooleanField("要求取消", default=False)

    class Meta:
        abstract = True
