"""The kernel: what every app stands on, and nothing else.

May live here: places, calendar, accounts and posts, scope, history, uploads and their lifecycle, jobs, the outbox,
sealing, notices, spreadsheets, text, the registries of list kinds and indicators, embedded services. A thing that
only one app needs belongs to that app.
"""
