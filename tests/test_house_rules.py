"""The rules that all code keeps. Where one must give way, it is said here, with the reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from eduaid.core.roles import Right
from tests.house import ROOT, at, called, calls_in, comments, listed, named, project_files, sources, tree_of

# --- addresses and views -----------------------------------------------------------------------------------------

# Open to whoever reaches the server; everything else asks who is there.
# A public notice is meant for everybody: whitelisted columns, only while it runs, by an address nobody guesses.
PUBLIC_ROUTES = {"login/", "logout/", "healthz", "notice/<str:address>/"}


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, Callable[..., object]]]:
    """Every address of the product with its view; the admin site keeps its own rules."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        elif pattern.app_name != "admin":
            yield from routes(pattern, route)


def test_every_address_says_who_may_open_it() -> None:
    assert [route for route, view in routes() if not getattr(view, "policy", ())] == []


def test_only_the_door_is_open_to_everybody() -> None:
    opened = {route for route, view in routes() if getattr(view, "policy", ()) == ("public",)}
    assert opened == PUBLIC_ROUTES


def test_policies_name_rights_that_some_role_has() -> None:
    from eduaid.core.roles import ROLES

    granted = {right for role in ROLES.values() for right in role.rights}
    asked = {right for _, view in routes() for right in getattr(view, "policy", ()) if isinstance(right, Right)}
    assert asked - granted == set()


def test_addresses_carry_no_numbers_of_persons() -> None:
    """A child's address holds the public id; numbers are searched by POST."""
    names = {name for route, _ in routes() for name in re.findall(r"<(?:\w+:)?(\w+)>", route)}
    assert {name for name in names if re.search(r"id_number|card|phone|registry", name)} == set()
    assert [route for route, _ in routes() if re.search(r"students/<(?!str:public_id>)", route)] == []


def views() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in sources():
        if "/views/" in named(path) or path.name == "views.py":
            for node in tree_of(path).body:
                if isinstance(node, ast.FunctionDef) and any(
                    isinstance(item, ast.Call) and called(item) == "needs" for item in node.decorator_list
                ):
                    yield path, node


def changes_something(call: ast.Call) -> bool:
    """Saving, deleting, or an act in somebody's name; noting an access is done by reading, too."""
    if called(call) in {"save", "delete", "create", "bulk_create", "set_password"}:
        return True
    if called(call) == "update" and call.keywords:
        return True
    return called(call) != "note" and any(word.arg == "by" for word in call.keywords)


def is_careless(view: ast.FunctionDef) -> bool:
    """Changes something without having asked whether it was posted."""
    text = ast.unparse(view)
    guarded = "require_POST" in text or "request.method == 'POST'" in text or "request.method != 'POST'" in text
    return not guarded and any(changes_something(call) for call in calls_in(view))


def test_views_change_something_only_by_post() -> None:
    assert len(list(views())) > 20
    careless = [f"{at(path, view)} {view.name}" for path, view in views() if is_careless(view)]
    assert careless == [], listed(careless)


@pytest.mark.parametrize(
    ("code", "careless"),
    [
        ("def undo(request):\n    uploads.undo(found, by=request.user, reason='x')", True),
        ("@require_POST\ndef undo(request):\n    uploads.undo(found, by=request.user, reason='x')", False),
        ("def new(request):\n    if request.method == 'POST' and form.is_valid():\n        form.save()", False),
        ("def child(request):\n    access.note(by=request.user, action=Action.VIEW)", False),
        ("def read(request):\n    notices.update(read_at=now)", True),
    ],
)
def test_the_search_for_careless_views_finds_them(code: str, careless: bool) -> None:
    view = ast.parse(code).body[0]
    assert isinstance(view, ast.FunctionDef)
    assert is_careless(view) is careless


# --- acts --------------------------------------------------------------------------------------------------------

# Modules whose public functions change something for a person who is named.
ACTS = (
    "*/actions.py",
    "dropout/proof.py",
    "dropout/spot.py",
    "dropout/inquiries.py",
    "eduaid/core/uploads.py",
    "eduaid/core/editing.py",
)
# Steps inside an act or of the worker: what they do is done in the name of the act that calls them.
STEPS = {
    "dropout/actions.py": {
        "follow_lists": "worker; whereabouts that follow from lists are the system's, and say so",
        "refresh": "inside an act of another kind, which is somebody's",
    },
    "eduaid/core/uploads.py": {
        "wake": "tells a worker",
        "locked": "takes the lock for an act",
        "apply": "worker; acts for the approver",
        "fail": "worker; notes why it stopped",
        "not_applied": "worker; the list waits for an approval again",
        "renew": "worker; compares a waiting list anew",
        "set_diff": "sets fields, saves nothing",
        "count_rows": "sets fields, saves nothing",
        "open_slice": "worker or an act that checks a row again",
        "slice_for_row": "see open_slice",
        "note_refused_rows": "worker; notes it of the sender",
    },
}
WRITES = {"save", "create", "bulk_create", "update", "delete", "get_or_create", "update_or_create", "select_for_update"}


def acts() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for pattern in ACTS:
        for path in sorted(ROOT.glob(pattern)):
            for node in tree_of(path).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    yield path, node


def writes(function: ast.FunctionDef) -> bool:
    return "transaction.atomic" in ast.unparse(function) or any(called(call) in WRITES for call in calls_in(function))


def test_acts_say_in_whose_name_they_are_done() -> None:
    silent = []
    for path, act in acts():
        if act.name in STEPS.get(named(path), {}) or not writes(act):
            continue
        says = [arg for arg in act.args.kwonlyargs if arg.arg == "by"]
        default = dict(zip((arg.arg for arg in act.args.kwonlyargs), act.args.kw_defaults, strict=True)).get("by")
        # None stands for the system itself, where the act allows that.
        typed = says and says[0].annotation is not None and ast.unparse(says[0].annotation) in {"User", "User | None"}
        if not typed or default is not None:
            silent.append(f"{at(path, act)} {act.name}")
    assert silent == [], listed(silent)


def test_acts_are_one_transaction() -> None:
    split = [
        f"{at(path, act)} {act.name}"
        for path, act in acts()
        if any(arg.arg == "by" for arg in act.args.kwonlyargs) and "transaction.atomic" not in ast.unparse(act)
    ]
    assert split == [], listed(split)


def test_steps_that_are_named_exist() -> None:
    for name, steps in STEPS.items():
        functions = {node.name for node in tree_of(ROOT / name).body if isinstance(node, ast.FunctionDef)}
        assert set(steps) - functions == set()


# --- habits of the code ------------------------------------------------------------------------------------------


def test_nothing_happens_by_signal() -> None:
    found = [
        at(path, node)
        for path in sources()
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").endswith(("signals", "django.dispatch")))
        or (isinstance(node, ast.Import) and any("signals" in alias.name for alias in node.names))
    ]
    assert found == [], listed(found)


# Whatever goes wrong is caught here without being raised at once.
MAY_CATCH_ALL = {
    "eduaid/core/reading/xlsx.py": "a thread hands it to the one that waits for it, which raises",
}


def test_errors_are_caught_by_name() -> None:
    found = []
    for path in sources():
        if named(path) in MAY_CATCH_ALL:
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
                # Cleaning up before passing it on, or turning it into a named error, is no swallowing.
                if broad and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
                    found.append(at(path, node))
    assert found == [], listed(found)


def test_a_suppressed_check_says_which() -> None:
    found = []
    for path in [path for path in project_files() if path.suffix == ".py"]:
        for number, text in comments(path).items():
            if re.search(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)|#\s*(pragma: no cover|pylint)", text):
                found.append(f"{named(path)}:{number}")
            # A lint is about taste until it says why not here.
            elif re.search(r"#\s*noqa:", text) and not re.search(r"noqa:[\sA-Z0-9,]+[(a-z]", text):
                found.append(f"{named(path)}:{number} without a reason")
    assert found == [], listed(found)


def test_html_is_called_safe_only_with_a_reason() -> None:
    """Beside it, or in the docstring of the function, which says where escaping was done."""
    found = []
    for path in sources():
        told = comments(path)
        explained = {
            call
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.FunctionDef) and "escaped" in (ast.get_docstring(node) or "")
            for call in calls_in(node)
        }
        for call in calls_in(tree_of(path)):
            empty = not call.args or (isinstance(call.args[0], ast.Constant) and not call.args[0].value)
            reason = call in explained or told.get(call.lineno) or told.get(call.lineno - 1)
            if called(call) in {"mark_safe", "SafeString"} and not empty and not reason:
                found.append(at(path, call))
    assert found == [], listed(found)


SPEAKING = {"PermissionDenied", "CommandError", "NothingToRead", "NotAllowed", "NotPossible", "CannotCorrect"}
MESSAGES = {"success", "warning", "error", "info"}


def test_what_is_said_to_people_is_chinese() -> None:
    found = []
    for path in sources():
        for call in calls_in(tree_of(path)):
            says = called(call) in SPEAKING or (
                called(call) in MESSAGES
                and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "messages"
            )
            texts = (
                [
                    part.value
                    for arg in call.args
                    for part in ast.walk(arg)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                if says
                else []
            )
            if texts and not any(re.search(r"[\u3001-\u303f\u4e00-\u9fff]", text) for text in texts):
                found.append(at(path, call))
    assert found == [], listed(found)
