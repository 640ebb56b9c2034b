"""Addresses of figures: home, progress, drill-down, reports and traces."""

from django.urls import path

from reports.views import home, indicators, letters, progress, reports, traces

urlpatterns = [
    path("", home.home, name="home"),
    path("progress/", progress.progress, name="progress"),
    path("i/<str:key>/", indicators.indicator, name="indicator"),
    path("i/<str:key>/export/", indicators.indicator_export, name="indicator-export"),
    path("reports/", reports.reports, name="reports"),
    path("reports/new/", reports.report_new, name="report-new"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path("reports/<int:pk>/final/", reports.report_final, name="report-final"),
    path("reports/<int:pk>/withdraw/", reports.report_withdraw, name="report-withdraw"),
    path("reports/<int:pk>/changes/", reports.report_changes, name="report-changes"),
    path("reports/<int:pk>/<str:file_format>/", reports.report_file, name="report-file"),
    path("evidence/letters/<int:pk>/word/", letters.letter_word, name="letter-word"),
    path("trace/<str:code>/", traces.trace, name="trace"),
]
