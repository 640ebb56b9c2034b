"""The Celery application. The broker only wakes workers; what is to be done stands in PostgreSQL rows (docs/architecture.md)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eduaid.settings")

app = Celery("eduaid")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # tasks are sent by name from rooms that do not know this module
