"""Every address of the product."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("reports.urls")),
    path("", include("subsidies.urls")),
    path("", include("students.urls")),
    path("", include("dropout.urls")),
    path("", include("dropout.proof_urls")),
    path("", include("subsidies.aid_urls")),
    path("", include("eduaid.core.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "eduaid.core.views.errors.bad_request"
handler403 = "eduaid.core.views.errors.forbidden"
handler404 = "eduaid.core.views.errors.not_found"
handler500 = "eduaid.core.views.errors.server_error"
