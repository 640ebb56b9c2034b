"""Addresses of student aid. A public notice is the only page that stands open, and only while it runs."""

from django.urls import path

from subsidies.views import batches, notices

urlpatterns = [
    path("aid/batches/", batches.index, name="aid-batches"),
    path("aid/batches/new/", batches.new, name="aid-batch-new"),
    path("aid/batches/<int:pk>/", batches.batch, name="aid-batch"),
    path("aid/batches/<int:pk>/submit/", batches.submit, name="aid-batch-submit"),
    path("aid/batches/<int:pk>/approve/", batches.approve, name="aid-batch-approve"),
    path("aid/batches/<int:pk>/send-back/", batches.send_back, name="aid-batch-send-back"),
    path("aid/batches/<int:pk>/withdraw/", batches.withdraw, name="aid-batch-withdraw"),
    path("aid/batches/<int:pk>/notice/", batches.publish, name="aid-batch-notice"),
    path("aid/batches/<int:pk>/notice/take-down/", batches.take_down, name="aid-batch-take-down"),
    path("aid/batches/<int:pk>/objections/", batches.object_to, name="aid-batch-object"),
    path("aid/batches/<int:pk>/objections/<int:objection>/", batches.answer, name="aid-batch-answer"),
    path("aid/batches/<int:pk>/export/", batches.export, name="aid-batch-export"),
    path("aid/files/<int:pk>/", batches.download, name="aid-file"),
    path("aid/files/<int:pk>/return/", batches.take_return, name="aid-file-return"),
    path("aid/files/<int:pk>/recall/", batches.recall, name="aid-file-recall"),
    path("aid/awards/<int:pk>/", batches.award, name="aid-award"),
    path("aid/awards/<int:pk>/account/", batches.fix, name="aid-award-account"),
    path("aid/awards/<int:pk>/drop/", batches.drop, name="aid-award-drop"),
    path("aid/awards/<int:pk>/<slug:deed>/", batches.turn, name="aid-award-turn"),
    path("aid/notices/<int:pk>/proof/", notices.proof, name="aid-notice-proof"),
    path("notice/<str:address>/", notices.public_notice, name="public-notice"),
]
