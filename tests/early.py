"""Loaded before every other pytest plugin: Django reads its settings from the environment, so the test services must stand first."""

import os

from eduaid.core import services

ENDPOINTS = services.for_tests()
os.environ.update(ENDPOINTS.environment())
os.environ.setdefault("EDUAID_SECRET_KEY", "only for tests")

# A ring for tests only; the product makes its own at the first start.
os.environ["EDUAID_KEYRING"] = (
    '{"primary": "k1", "algorithm": "aes-gcm", "keys": {"k1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},'
    ' "digest": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="}'
)
