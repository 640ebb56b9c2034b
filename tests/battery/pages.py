"""Every page that a person can open, as whom, in which state: the one list that the battery walks.

A new page gets its line here in the commit that adds it. Addresses with numbers in them are reached by following links,
as a person would.
"""

from __future__ import annotations

from dataclasses import dataclass

DESKTOP, PHONE = 1366, 360


@dataclass(frozen=True)
class PageCase:
    """One page in one state. From `path`, each selector of `follow` names a link that is opened in turn; one that begins
    with "press " names a button that is pressed."""

    name: str
    path: str
    account: str = ""
    follow: tuple[str, ...] = ()
    status: int = 200
    widths: tuple[int, ...] = (DESKTOP, PHONE)
    allowed_words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


_NEW_REPORT = "press .page-head button.btn"
_FIRST_FIGURE = "main a.fig:not(.zero)"

PAGES = (
    PageCase("P01-login", "/login/"),
    PageCase("P02-home-county", "/", "county"),
    PageCase("P02-home-township", "/", "town-a"),
    PageCase("P02-home-leader", "/", "leader"),
    PageCase("P03-search", "/search/", "county"),
    PageCase("P06-me", "/me/", "town-a"),
    PageCase("P10-imports-county", "/imports/", "county"),
    PageCase("P10-imports-township", "/imports/", "town-a"),
    PageCase("P10-imports-no-hits", "/imports/?q=没有这样的文件", "county"),
    PageCase("P11-upload", "/imports/new/", "town-a"),
    PageCase("P14-review", "/imports/", "county", ("main tbody th a",)),
    PageCase("P33-pending", "/departures/pending/", "county"),
    PageCase("P33-approvals", "/approve/", "leader"),
    PageCase("P16-undo", "/imports/", "leader", ("main tbody td:last-child a", ".page-head a.btn-bad")),
    PageCase(
        "P16-undo-names",
        "/imports/",
        "leader",
        ("main tbody td:last-child a", ".page-head a.btn-bad", "main .tiles a"),
    ),
    PageCase("P16-receipt", "/imports/", "county", ("main tbody td:last-child a",)),
    PageCase("P20-progress-county", "/progress/", "county"),
    PageCase("P20-progress-township", "/progress/", "town-a"),
    PageCase("P20-progress-leader", "/progress/", "leader"),
    PageCase("P20-progress-auditor", "/progress/", "auditor"),
    PageCase("P21-indicator", "/progress/", "county", (_FIRST_FIGURE,)),
    PageCase("P22-students-county", "/students/", "county"),
    PageCase("P22-students-township", "/students/", "town-b"),
    PageCase("P22-students-no-hits", "/students/?q=查无此人", "county"),
    PageCase("P23-student", "/students/", "county", ("main tbody th a",)),
    PageCase("P35-reports", "/reports/", "county"),
    PageCase("P35-report", "/reports/", "county", (_NEW_REPORT,)),
    PageCase("P36-trace", "/reports/", "county", (_NEW_REPORT, "main .paper a.fig")),
    PageCase("P24-household", "/students/", "county", ("main tbody th a", "main a[href*='/households/']")),
    PageCase("P36-source-row", "/students/", "county", ("main tbody th a", "main a[href*='/rows/']")),
    PageCase("P60-admin", "/admin/", "data"),
    PageCase("P60-admin-students", "/admin/", "data", ("#content-main a[href*='student/']",)),
    PageCase("P61-setup", "/setup/", "county"),
    PageCase("P61-regions", "/setup/regions/", "county"),
    PageCase("P61-region-new", "/setup/regions/new/", "county"),
    PageCase("P61-schools", "/setup/schools/", "county"),
    PageCase("P61-school", "/setup/schools/", "county", ("main tbody th a",)),
    PageCase("P61-calendar", "/setup/calendar/", "county"),
    PageCase("P61-users", "/setup/users/", "sysadmin"),
    PageCase("P61-user", "/setup/users/", "sysadmin", ("main tbody th a",), allowed_words=("aid",)),
    PageCase("P61-posts", "/setup/users/", "secadmin"),
    PageCase("P61-dictionaries", "/setup/dictionaries/", "county"),
    PageCase("403", "/setup/users/", "town-a", status=403),
    PageCase("404", "/no-such-page/", "county", status=404),
)
