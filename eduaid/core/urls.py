"""The kernel's addresses: log-in, intake, settings, health."""

from django.urls import path

from eduaid.core.views import health, login, watermark
from eduaid.core.views.imports import (
    cells, columns, decisions, differences, files, index, progress, receipt, review, send,
)
from eduaid.core.views.setup import calendar, dictionaries, overview, people, regions, schools

urlpatterns = [
    path("login/", login.login, name="login"),
    path("logout/", login.logout, name="logout"),
    path("me/", login.me, name="me"),
    path("me/notices/", login.notices_read, name="notices-read"),
    path("healthz", health.healthz, name="healthz"),
    path("watermark.svg", watermark.watermark, name="watermark"),
    path("imports/", index.index, name="imports"),
    path("imports/new/", send.new, name="import-new"),
    path("imports/template/<str:kind>/", files.template, name="import-template"),
    path("imports/<int:pk>/", review.review, name="import"),
    path("imports/<int:pk>/map/", columns.columns, name="import-map"),
    path("imports/<int:pk>/map/forget/", columns.forget, name="import-forget"),
    path("imports/<int:pk>/run/", progress.run, name="import-run"),
    path("imports/<int:pk>/resume/", progress.resume, name="import-resume"),
    path("imports/<int:pk>/cancel/", decisions.cancel, name="import-cancel"),
    path("imports/<int:pk>/rows/<int:row_pk>/answer/", cells.answer, name="import-answer"),
    path("imports/<int:pk>/rows/<int:row_pk>/<str:column>/", cells.cell, name="import-cell"),
    path("imports/<int:pk>/answers/", cells.answer_all, name="import-answer-all"),
    path("imports/<int:pk>/submit/", decisions.submit, name="import-submit"),
    path("imports/<int:pk>/approve/", decisions.approve, name="import-approve"),
    path("imports/<int:pk>/return/", decisions.send_back, name="import-return"),
    path("imports/<int:pk>/diff/<str:part>/", differences.diff, name="import-diff"),
    path("imports/<int:pk>/receipt/", receipt.receipt, name="import-receipt"),
    path("imports/<int:pk>/undo/", decisions.undo, name="import-undo"),
    path("imports/<int:pk>/files/<int:position>/", files.original, name="import-file"),
    path("setup/", overview.overview, name="setup"),
    path("setup/regions/", regions.regions, name="setup-regions"),
    path("setup/regions/new/", regions.new_region, name="setup-region-new"),
    path("setup/regions/<int:pk>/", regions.region, name="setup-region"),
    path("setup/regions/<int:pk>/end/", regions.end_region, name="setup-region-end"),
    path("setup/schools/", schools.schools, name="setup-schools"),
    path("setup/schools/new/", schools.new_school, name="setup-school-new"),
    path("setup/schools/<int:pk>/", schools.school, name="setup-school"),
    path("setup/calendar/", calendar.calendar, name="setup-calendar"),
    path("setup/calendar/new/", calendar.new_year, name="setup-year-new"),
    path("setup/calendar/<int:pk>/", calendar.year, name="setup-year"),
    path("setup/users/", people.users, name="setup-users"),
    path("setup/users/new/", people.new_user, name="setup-user-new"),
    path("setup/users/<int:pk>/", people.user, name="setup-user"),
    path("setup/users/<int:pk>/posts/new/", people.new_post, name="setup-post-new"),
    path("setup/posts/<int:pk>/end/", people.end_post, name="setup-post-end"),
    path("setup/dictionaries/", dictionaries.dictionaries, name="setup-dictionaries"),
    path("setup/dictionaries/<str:key>/", dictionaries.dictionaries, name="setup-dictionary"),
]
