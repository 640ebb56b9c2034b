"""Addresses of children, households, list rows and the search. A child is named by its public id, never by a number."""

from django.urls import path

from students.views import detail, households, pending, people, reveal, rows, search

urlpatterns = [
    path("students/", people.students, name="students"),
    path("students/<str:public_id>/", detail.student, name="student"),
    path("students/<str:public_id>/reveal/<str:what>/", reveal.reveal, name="student-reveal"),
    path("students/<str:public_id>/corrections/<int:pk>/", detail.decide, name="correction-decide"),
    path("households/<int:pk>/", households.household, name="household"),
    path("departures/pending/", pending.pending, name="departures-pending"),
    path("rows/<int:pk>/", rows.row, name="row-trace"),
    path("search/", search.search, name="search"),
]
