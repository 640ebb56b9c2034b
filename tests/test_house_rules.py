"""The rules that everything in the project keeps. Where one must give way, it is said here, with the reason."""

from __future__ import annotations

import ast
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from eduaid.core.indicators import Indicator, indicators
from eduaid.core.lists import ListKind, kinds
from eduaid.core.roles import Right
from eduaid.core.spreadsheets import map_columns, normalise_header
from tests.battery.checks import foreign_words

ROOT = Path(__file__).resolve().parent.parent
APPS = ("eduaid", "students", "subsidies", "dropout", "reports")
TEMPLATES = ROOT / "templates"

# --- the files of the project ----------------------------------------------------------------------------------

TOP_LEVEL = {
    "manage.py",
    "eduaid",
    "students",
    "subsidies",
    "dropout",
    "reports",
    "templates",
    "static",
    "pyproject.toml",
    "docker-compose.yml",
    "tests",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs",
    "bench",
    "Makefile",
    "Dockerfile",
    "requirements.lock",
    "requirements-dev.lock",
}
MIB = 1_048_576
# Folders of somebody's machine. A variable that names one ($HOME) is not written this way.
MACHINE_PATH = re.compile(r"(?<![\w.}$*])/(?:home|Users|root|work|mnt|media)/[\w.-]|[A-Z]:\\\\?Users")


@cache
def project_files() -> tuple[Path, ...]:
    """What is kept under version control, or would be: new files that nobody ignores belong to it."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def sources() -> tuple[Path, ...]:
    """The product's own Python."""
    return tuple(path for path in project_files() if path.suffix == ".py" and named(path).split("/")[0] in APPS)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), named(path))


def at(path: Path, node: ast.AST) -> str:
    return f"{named(path)}:{getattr(node, 'lineno', 0)}"


def called(node: ast.Call) -> str:
    """The last word of what is called: `count` of `rows.count()`."""
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def listed(found: list[str]) -> str:
    """All of them, where pytest would show the first."""
    return "\n" + "\n".join(found)


def calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_the_top_level_is_exactly_what_was_agreed() -> None:
    found = {named(path).split("/")[0] for path in project_files()}
    assert sorted(name for name in found if not name.startswith(".")) == sorted(TOP_LEVEL)


def test_no_file_is_larger_than_a_mebibyte() -> None:
    assert [named(path) for path in project_files() if path.stat().st_size > MIB] == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = []
    for path in project_files():
        data = path.read_bytes()
        if path.parent.name == "vendor" or b"\0" in data or path == Path(__file__):
            continue
        lines = enumerate(data.decode("utf-8").splitlines(), start=1)
        found += [f"{named(path)}:{number}" for number, line in lines if MACHINE_PATH.search(line)]
    assert found == [], listed(found)


def test_the_search_for_folders_of_a_machine_finds_one() -> None:
    folder = "/".join(["", "home", "wang", "eduaid"])
    assert MACHINE_PATH.search(f"cd {folder}")
    assert not MACHINE_PATH.search("cache=${HOME:-/root}/.cache; https://example.com/home/page")


def test_nothing_is_left_to_do_or_switched_off_in_the_code() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|pytest\.mark\.(skip|skipif|xfail)|\bbreakpoint\(\)")
    found = []
    for path in [path for path in project_files() if path.suffix in {".py", ".html", ".js", ".css"}]:
        if path.parent.name != "vendor" and path != Path(__file__):
            lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
            found += [f"{named(path)}:{number}" for number, line in lines if marks.search(line)]
    assert found == [], listed(found)


def test_documents_that_the_code_names_exist() -> None:
    """A reader can open what a comment refers to: in docs/, or at the top level."""
    known = {path.name for path in project_files() if path.suffix == ".md"}
    found = []
    for path in [path for path in project_files() if path.suffix in {".py", ".html", ".toml", ".js", ".css"}]:
        if path.parent.name != "vendor" and path != Path(__file__):
            lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
            names = ((number, name) for number, line in lines for name in re.findall(r"\b([\w-]+\.md)\b", line))
            found += [f"{named(path)}:{number} {name}" for number, name in names if name not in known]
    assert found == [], listed(found)


def test_every_dependency_says_why_it_is_there() -> None:
    lists = re.findall(r"^(?:dependencies|\w+) = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)
    dependencies = [
        line.strip() for block in lists for line in block.splitlines() if re.match(r'\s*"[a-z][\w.-]*[\[=~<>"]', line)
    ]
    settings = {'"eduaid.urls', '"reports', '"dropout', '"students', '"eduaid.core'}  # the layers contract
    dependencies = [line for line in dependencies if not any(line.startswith(name) for name in settings)]
    assert any(line.startswith('"django~=') for line in dependencies)
    assert [line for line in dependencies if not re.search(r",\s*# \w", line)] == []


# --- addresses and views ---------------------------------------------------------------------------------------

# Open to whoever reaches the server; everything else asks who is there.
PUBLIC_ROUTES = {"login/", "logout/", "healthz"}


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


def test_views_change_something_only_by_post() -> None:
    careless = []
    for path, view in views():
        text = ast.unparse(view)
        guarded = "require_POST" in text or "request.method == 'POST'" in text or "request.method != 'POST'" in text
        if any(changes_something(call) for call in calls_in(view)) and not guarded:
            careless.append(f"{at(path, view)} {view.name}")
    assert careless == [], listed(careless)


# --- one number, one indicator ---------------------------------------------------------------------------------

# Rooms that show numbers; they get them from indicators, or from a row that already holds them.
SHOWING = re.compile(
    r"/(views|templatetags|management|admin)/|/(views|admin|tasks|context|display|board|numbers|papers|narrative|"
    r"documents|dossier|bulletin|tables)\.py$|^reports/(?!indicators\.py|tie_outs\.py|models/|migrations/)"
)
COUNTING = re.compile(r"\b(?:count|sum|avg)\s*\(", re.IGNORECASE)
# File and function: what is counted there is not a figure.
MAY_COUNT = {
    "reports/moments.py state_of_the_data": "tells whether anything has changed since a page was kept; the number is never shown",
    "reports/basis.py record_of": "what a report rested on, kept beside its figures for the replay",
    "reports/sources.py files_behind": "splits the rows of one indicator by the file that delivered them",
    "reports/sources.py _files_of_schools": "the same for an indicator of schools",
    "students/views/reveal.py _alert_when_many": "a limit of numbers shown within an hour",
}


def counts_something(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and called(node) in {"count", "aggregate", "Count", "Sum", "Avg"}:
        # A word in a list or a text has its own count, with an argument.
        return called(node) != "count" or not node.args
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and bool(COUNTING.search(node.value) and re.search(r"\bselect\b|\bfrom\b|\*", node.value, re.IGNORECASE))
    )


def documentation(tree: ast.Module) -> set[ast.AST]:
    """The constants that are docstrings."""
    return {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }


def counting_places() -> dict[str, list[str]]:
    """File and function → the lines where it counts, in the rooms that show numbers."""
    found: dict[str, list[str]] = {}
    for path in sources():
        if not SHOWING.search(named(path)):
            continue
        tree = tree_of(path)
        texts = documentation(tree)
        for function in [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))] + [tree]:
            place = f"{named(path)} {getattr(function, 'name', '')}".strip()
            for node in ast.walk(function):
                if node not in texts and counts_something(node):
                    # The module comes last: it adds only what stands in no function.
                    if isinstance(function, ast.Module) and at(path, node) in [x for y in found.values() for x in y]:
                        continue
                    found.setdefault(place, []).append(at(path, node))
    return found


def test_nothing_that_shows_numbers_counts_them_itself() -> None:
    found = sorted({line for place, lines in counting_places().items() if place not in MAY_COUNT for line in lines})
    assert found == [], listed(found)


def test_exceptions_to_the_rule_on_counting_are_still_needed() -> None:
    assert set(MAY_COUNT) - set(counting_places()) == set()


def test_a_length_that_a_template_shows_is_that_of_a_list_shown_below_it() -> None:
    """The admin's pages aside: they are Django's, in our words."""
    found = []
    for path in pages():
        if path.relative_to(TEMPLATES).parts[0] == "admin":
            continue
        text = without_comments(path)
        for shown in re.findall(r"{{\s*([\w.]+)\|length\b", text):
            if not re.search(rf"{{%\s*for [\w, ]+ in {re.escape(shown)}\b", text):
                found.append(f"{named(path)} {shown}")
    assert found == [], listed(found)


KEY = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
UNITS = {"人", "人次", "户", "所", "行", "元", "万元", "项"}


@pytest.mark.parametrize("indicator", indicators(), ids=lambda indicator: indicator.key)
def test_an_indicator_says_what_it_counts(indicator: Indicator) -> None:
    assert KEY.fullmatch(indicator.key)
    assert indicator.label
    assert indicator.unit in UNITS
    assert indicator.source
    assert indicator.definition.endswith("。")
    assert len(indicator.definition) >= 10
    keys = [breakdown.key for breakdown in indicator.breakdowns]
    assert len(keys) == len(set(keys))
    assert indicator.row_kind.columns


def test_indicators_are_told_apart_by_their_names() -> None:
    labels = Counter(indicator.label for indicator in indicators())
    assert [label for label, times in labels.items() if times > 1] == []
    assert len(labels) >= 20


@pytest.mark.parametrize("indicator", [item for item in indicators() if item.parts], ids=lambda item: item.key)
def test_parts_of_an_indicator_exist_and_are_counted_alike(indicator: Indicator) -> None:
    known = {item.key: item for item in indicators()}
    assert [part for part in indicator.parts if part not in known] == []
    assert indicator.key not in indicator.parts
    assert len(indicator.parts) == len(set(indicator.parts)) >= 2
    alike = {(known[part].unit, known[part].counting, known[part].row_kind.key) for part in indicator.parts}
    assert alike == {(indicator.unit, indicator.counting, indicator.row_kind.key)}


# --- list kinds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_a_list_kind_is_declared_whole(kind: ListKind) -> None:
    keys = {column.key for column in kind.columns}
    named_keys = {kind.id_column, *([kind.registry_column] if kind.registry_column else [])}
    assert named_keys | {key for group in kind.one_of for key in group} <= keys
    assert kind.required
    assert kind.column(kind.id_column).sealed
    assert kind.label
    assert kind.source
    assert kind.about.endswith("。")
    assert kind.checks
    assert kind.senders


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_no_header_means_two_columns_of_a_list(kind: ListKind) -> None:
    meanings: dict[str, set[str]] = {}
    for column in kind.columns:
        for text in (column.label, *column.synonyms):
            meanings.setdefault(normalise_header(text), set()).add(column.key)
    assert {header: keys for header, keys in meanings.items() if len(keys) > 1} == {}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_the_headers_of_a_template_are_recognised_without_a_question(kind: ListKind) -> None:
    found = map_columns([column.label for column in kind.columns], kind.columns, sample=[])
    assert dict(found.columns) == {position: column.key for position, column in enumerate(kind.columns)}
    assert (list(found.ambiguous), list(found.missing)) == ([], [])


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_columns_that_may_hold_a_number_or_an_address_are_sealed(kind: ListKind) -> None:
    telling = re.compile(r"证件号|身份证|学籍|电话|手机|住址|卡号|账号|备注")
    kept_open = {"id_kind"}  # the kind of the document, not its number
    found = [
        column.key
        for column in kind.columns
        if telling.search(column.label) and not column.sealed and column.key not in kept_open
    ]
    assert found == [], listed(found)


# --- acts ------------------------------------------------------------------------------------------------------

# Modules whose public functions change something for a person who is named.
ACTS = ("*/actions.py", "eduaid/core/uploads.py", "eduaid/core/editing.py")
# Steps inside an act or of the worker: what they do is done in the name of the act that calls them.
STEPS = {
    "eduaid/core/uploads.py": {
        "wake": "tells a worker",
        "locked": "takes the lock for an act",
        "apply": "worker; acts for the approver",
        "fail": "worker; notes why it stopped",
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


# --- habits of the code ----------------------------------------------------------------------------------------


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


def comments(path: Path) -> dict[int, str]:
    with tokenize.open(path) as file:
        return {
            token.start[0]: token.string
            for token in tokenize.generate_tokens(file.readline)
            if token.type == tokenize.COMMENT
        }


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


# --- templates -------------------------------------------------------------------------------------------------

# Django looks these up by name.
LOOKED_UP = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}


@cache
def pages() -> tuple[Path, ...]:
    return tuple(path for path in project_files() if TEMPLATES in path.parents)


def without_comments(path: Path) -> str:
    text = re.sub(r"{%\s*comment\b.*?%}.*?{%\s*endcomment\s*%}", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"{#.*?#}", "", text)


def test_every_template_is_used() -> None:
    """From the names that the code holds, by extending and including; a template in tests alone is not used."""
    leads = {
        path.relative_to(TEMPLATES).as_posix(): set(
            re.findall(r"{%\s*(?:extends|include)\s+[\"']([^\"']+)[\"']", without_comments(path))
        )
        for path in pages()
    }
    held = {
        node.value
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # The admin's own pages are looked up by Django and django-import-export under these names.
    ahead = [name for name in leads if name in held or name in LOOKED_UP or name.startswith("admin/")]
    used: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name not in used:
            used.add(name)
            ahead += leads.get(name, set())
    unused = sorted(set(leads) - used)
    assert unused == [], listed(unused)


def test_admin_templates_replace_one_that_exists() -> None:
    """Of the whole site, or of one model: admin/students/correction/change_form.html stands for admin/change_form.html."""
    from django.apps import apps

    folders = [Path(config.path) / "templates" for config in apps.get_app_configs()]
    models = {f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in apps.get_models()}
    idle = []
    for path in pages():
        name = path.relative_to(TEMPLATES).as_posix()
        general = "admin/" + name.removeprefix(next((model for model in models if name.startswith(model)), "admin/"))
        if name.startswith("admin/") and not any((folder / general).is_file() for folder in folders):
            idle.append(name)
    assert idle == [], listed(idle)


def test_forms_that_change_something_are_posted_with_a_token() -> None:
    bare = []
    for path in pages():
        text = without_comments(path)
        for form in re.finditer(r"<form\b(?P<head>(?:{%.*?%}|{{.*?}}|[^>])*)>(?P<body>.*?)</form>", text, re.DOTALL):
            posted = re.search(r'\bmethod="post"', form["head"])
            if posted and "{% csrf_token %}" not in form["body"]:
                bare.append(f"{named(path)}: a posted form without its token")
            # What is not posted only looks for something.
            if not posted and 'role="search"' not in form["head"]:
                bare.append(f"{named(path)}: a form that neither posts nor searches")
    assert bare == [], listed(bare)


def test_fragments_change_something_only_inside_a_form() -> None:
    """Without JavaScript the form does the same; put, patch and delete have no form."""
    loose = []
    for path in pages():
        text = without_comments(path)
        loose += [f"{named(path)} {verb}" for verb in re.findall(r"hx-(?:put|patch|delete)\b", text)]
        posting = re.findall(r"<(\w+)\b(?:{%.*?%}|{{.*?}}|[^>])*\bhx-post=", text)
        loose += [f"{named(path)} hx-post on {tag}" for tag in posting if tag != "form"]
    assert loose == [], listed(loose)


def test_templates_never_switch_escaping_off() -> None:
    off = re.compile(r"\|\s*safe\b|\|\s*safeseq\b|{%\s*autoescape\s+off")
    assert [named(path) for path in pages() if off.search(without_comments(path))] == []


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_a_template_shows_no_english(page: Path) -> None:
    """The same search that the battery makes in rendered pages, here in what no page of it happens to show."""
    text = re.sub(
        r"{% block (?:bodyclass|coltype) %}.*?{% endblock %}", "", without_comments(page)
    )  # inside an attribute
    # A tag or variable inside another HTML tag may stand without quotes: it is cut out before HTML is read.
    assert foreign_words(re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)) == []


def test_the_search_for_english_finds_it() -> None:
    assert foreign_words('<p title="Save">保存 <b>all</b> rows</p>') == ["Save", "all", "rows"]
    assert foreign_words("<p>可用 Excel 或 WPS 打开</p><script>var a</script>") == []
