"""Composition root: settings, URLs, Celery, WSGI. Imports every room; no room imports it."""
