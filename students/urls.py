"""Addresses of children, households, list rows and the search. A child is named by its public id, never by a number."""

from django.urls import path

from students.views import assign, detail, households, match, pending, people, resolver, reveal, rows, search

urlpatterns = [
    path("students/", people.students, name="students"),
    path("students/<str:public_id>/", detail.student, name="student"),
    path("students/<str:public_id>/reveal/<str:what>/", reveal.reveal, name="student-reveal"),
    path("students/<str:public_id>/corrections/<int:pk>/", detail.decide, name="correction-decide"),
    path("households/<int:pk>/", households.household, name="household"),
    path("match/", match.match, name="match"),
    path("match/compare/", match.compare, name="match-compare"),
    path("match/certain/", match.bulk, name="match-bulk"),
    path("match/decisions/", match.decisions, name="match-decisions"),
    path("match/decisions/<int:pk>/undo/", match.undo, name="match-undo"),
    path("match/batches/<str:batch>/undo/", match.undo_batch, name="match-undo-batch"),
    path("match/pairs/<int:pk>/", resolver.pair, name="match-pair"),
    path("match/pairs/<int:pk>/decide/", resolver.decide_pair, name="match-pair-decide"),
    path("match/children/<str:public_id>/", resolver.child, name="match-child"),
    path("match/children/<str:public_id>/decide/", resolver.decide_child, name="match-child-decide"),
    path("departures/pending/", pending.pending, name="departures-pending"),
    path("rows/<int:pk>/", rows.row, name="row-trace"),
    path("t/<str:code>/assign/", assign.assign, name="assign"),
    path("t/<str:code>/assign/save/", assign.save, name="assign-save"),
    path("t/<str:code>/assign/hand-over/", assign.hand_over, name="assign-hand-over"),
    path("t/<str:code>/assign/undo/", assign.undo, name="assign-undo"),
    path("search/", search.search, name="search"),
]
