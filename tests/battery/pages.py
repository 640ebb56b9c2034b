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
_ASSIGN = ".page-head a[href$='/assign/']"
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
    PageCase("P15-match-county", "/match/", "county"),
    PageCase("P15-match-township", "/match/?queue=contradicted", "town-a"),
    PageCase("P15-resolver", "/match/?queue=contradicted", "county", ("main tbody th a",)),
    PageCase("P15-resolver-open", "/match/", "county", ("main tbody th a",)),
    PageCase("P15-decisions", "/match/decisions/", "county"),
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
    PageCase("P18-assign-county", "/students/", "county", (_ASSIGN,)),
    PageCase("P18-assign-township", "/students/", "town-b", (_ASSIGN,)),
    PageCase("P18-assign-villages", "/students/", "town-b", (_ASSIGN, "main .tabs li:nth-child(2) a")),
    PageCase("P18-assign-children", "/students/", "town-b", (_ASSIGN, "main .tabs li:nth-child(3) a")),
    PageCase("P18-assign-people", "/students/", "town-b", (_ASSIGN, "main .tabs li:nth-child(4) a")),
    PageCase("P18-assign-school", "/students/", "school-a", (_ASSIGN,)),
    PageCase("P29-suspected-county", "/dropout/", "county"),
    PageCase("P29-suspected-township", "/dropout/", "town-a"),
    PageCase("P29-suspected-school", "/dropout/", "school-a"),
    PageCase("P29-eligible", "/dropout/?part=eligible", "county"),
    PageCase("P29-dropout", "/dropout/?part=dropout", "town-a"),
    PageCase("P29-struck-off", "/dropout/?part=suspected&out=1", "county"),
    PageCase("P29-lists", "/dropout/?part=lists", "county"),
    PageCase("P29-rounds", "/dropout/rounds/", "county"),
    PageCase("P29-round", "/dropout/rounds/", "county", ("main tbody th a",)),
    PageCase("P29-round-township", "/dropout/rounds/", "town-a", ("main tbody th a",)),
    PageCase("P29-round-new", "/dropout/rounds/new/", "county"),
    PageCase("P29-round-close", "/dropout/rounds/", "county", ("main tbody th a", ".page-head a.btn-2")),
    PageCase("P29-whereabouts", "/dropout/?part=eligible", "town-a", ("main tbody th a",)),
    PageCase("P22-students-county", "/students/", "county"),
    PageCase("P22-students-township", "/students/", "town-b"),
    PageCase("P22-students-no-hits", "/students/?q=查无此人", "county"),
    PageCase("P23-student", "/students/", "county", ("main tbody th a",)),
    PageCase("P35-reports", "/reports/", "county"),
    PageCase("P35-report", "/reports/", "county", (_NEW_REPORT,)),
    PageCase("P36-trace", "/reports/", "county", (_NEW_REPORT, "main .paper a.fig")),
    PageCase("P24-household", "/students/", "county", ("main tbody th a", "main a[href*='/households/']")),
    PageCase("P36-source-row", "/students/", "county", ("main tbody th a", "main a[href*='/rows/']")),
    PageCase("P31-review", "/evidence/", "dropout"),
    PageCase("P31-ledger-county", "/evidence/list/", "dropout"),
    PageCase("P31-ledger-township", "/evidence/list/", "town-a"),
    PageCase("P31-ledger-no-hits", "/evidence/list/?state=returned", "town-l"),
    PageCase("P31-child", "/evidence/list/", "dropout", ("main tbody th a",)),
    PageCase(
        "P31-record",
        "/students/",
        "town-a",
        ("main tbody th a", ".page-head a[href^='/evidence/']", ".page-head a.btn"),
    ),
    PageCase("P31-letters", "/evidence/letters/", "dropout"),
    PageCase("P31-letter", "/evidence/letters/", "dropout", ("main tbody th a",)),
    PageCase("P32-spotchecks", "/spotcheck/", "dropout"),
    PageCase("P32-spotcheck", "/spotcheck/", "dropout", ("main tbody th a",)),
    PageCase("P32-sheet", "/spotcheck/", "dropout", ("main tbody th a", ".page-head a.btn-2")),
    PageCase("P32-call", "/spotcheck/", "dropout", ("main tbody th a", "main tbody th a")),
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
