"""P61 概况: what is set up already and what comes next."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from eduaid.core import first_run
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.views.setup.tabs import ANY, tabs


@needs(*ANY)
def overview(request: AccountRequest) -> HttpResponse:
    return render(request, "setup/index.html", {"checklist": first_run.steps()} | tabs(request, "setup"))
