"""Addresses of programmes, hardship, entitlements and gaps. A child is named by its public id, never by a number."""

from django.urls import path

from subsidies.views import gaps, hardship, overview, programmes

urlpatterns = [
    path("aid/", overview.overview, name="aid"),
    path("aid/programmes/", programmes.programmes, name="aid-programmes"),
    path("aid/programmes/new/", programmes.programme_new, name="aid-programme-new"),
    path("aid/programmes/<slug:key>/", programmes.programme, name="aid-programme"),
    path("aid/programmes/<slug:key>/<int:pk>/end/", programmes.end_standard, name="aid-standard-end"),
    path("aid/programmes/<slug:key>/<int:pk>/withdraw/", programmes.withdraw_standard, name="aid-standard-withdraw"),
    path("aid/programmes/<slug:key>/<int:pk>/confirm/", programmes.confirm_standard, name="aid-standard-confirm"),
    path("aid/hardship/", hardship.hardship, name="aid-hardship"),
    path("aid/hardship/prefill/", hardship.prefill, name="aid-hardship-prefill"),
    path("aid/hardship/<str:public_id>/", hardship.recognise, name="aid-recognition"),
    path("aid/gaps/", gaps.gaps, name="aid-gaps"),
    path("aid/gaps/settle/", gaps.settle, name="aid-gap-settle"),
    path("aid/gaps/hand-out/", gaps.hand_out, name="aid-gap-hand-out"),
    path("aid/entitled/<str:public_id>/<slug:key>/", overview.reason, name="aid-entitlement"),
]
