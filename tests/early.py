"""Loaded before every other pytest plugin: Django reads its settings from the environment, so the test services must stand first."""

import os

from eduaid.core import services

ENDPOINTS = services.for_tests()
os.environ.update(ENDPOINTS.environment())
# Each test process has a broker database of its own, as it has a database: their workers must not take each other's tasks.
BROKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
os.environ["REDIS_URL"] = ENDPOINTS.redis_url.replace("virtual_host=0", f"virtual_host={BROKER}")
os.environ.setdefault("EDUAID_SECRET_KEY", "only for tests")

# A ring for tests only; the product makes its own at the first start.
os.environ["EDUAID_KEYRING"] = (
    '{"primary": "k1", "algorithm": "aes-gcm", "keys": {"k1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},'
    ' "digest": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="}'
)
