"""Addresses of evidence, letters and spot checks. A child is named by its public id, never by a number."""

from django.urls import path

from dropout.views import evidence, letters, review, spotcheck

urlpatterns = [
    path("evidence/", review.queue, name="evidence"),
    path("evidence/list/", evidence.ledger, name="evidence-list"),
    path("evidence/child/<str:public_id>/", evidence.child, name="evidence-child"),
    path("evidence/child/<str:public_id>/record/", evidence.record, name="evidence-record"),
    path("evidence/child/<str:public_id>/without/", evidence.give_up, name="evidence-without"),
    path("evidence/<int:pk>/accept/", review.accept, name="evidence-accept"),
    path("evidence/<int:pk>/return/", review.send_back, name="evidence-return"),
    path("evidence/<int:pk>/report/", evidence.report, name="evidence-report"),
    path("evidence/<int:pk>/withdraw/", evidence.withdraw, name="evidence-withdraw"),
    path("evidence/<int:pk>/phone/", evidence.phone, name="evidence-phone"),
    path("evidence/<int:pk>/files/<int:file_pk>/", evidence.file, name="evidence-file"),
    path("evidence/<int:pk>/files/<int:file_pk>/remove/", evidence.remove_file, name="evidence-file-remove"),
    path("evidence/letters/", letters.letters, name="letters"),
    path("evidence/letters/new/", letters.letter_new, name="letter-new"),
    path("evidence/letters/<int:pk>/", letters.letter, name="letter"),
    path("evidence/letters/<int:pk>/<int:child_pk>/", letters.letter_answer, name="letter-answer"),
    path("spotcheck/", spotcheck.spotchecks, name="spotchecks"),
    path("spotcheck/<int:pk>/", spotcheck.spotcheck, name="spotcheck"),
    path("spotcheck/<int:pk>/sheet/", spotcheck.sheet, name="spot-sheet"),
    path("spotcheck/<int:pk>/again/", spotcheck.again, name="spot-again"),
    path("spotcheck/<int:pk>/calls/<int:call_pk>/", spotcheck.call, name="spot-call"),
    path("spotcheck/<int:pk>/calls/<int:call_pk>/rectified/", spotcheck.rectify, name="spot-rectify"),
]
