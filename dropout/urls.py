"""Addresses of the ledgers, census rounds and whereabouts. A child is named by its public id."""

from django.urls import path

from dropout.views import ledgers, rounds, whereabouts

urlpatterns = [
    path("dropout/", ledgers.dropout, name="dropout"),
    path("dropout/rounds/", rounds.rounds, name="census-rounds"),
    path("dropout/rounds/new/", rounds.open_round, name="census-open"),
    path("dropout/rounds/<int:pk>/", rounds.census_round, name="census-round"),
    path("dropout/rounds/<int:pk>/close/", rounds.close_round, name="census-close"),
    path("dropout/decide/", whereabouts.many, name="whereabouts-many"),
    path("dropout/verdicts/<int:pk>/undo/", whereabouts.undo, name="whereabouts-undo"),
    path("dropout/children/<str:public_id>/", whereabouts.whereabouts, name="whereabouts"),
    path("dropout/children/<str:public_id>/<int:pk>/keep/", whereabouts.keep, name="whereabouts-keep"),
]
