"""What every template keeps: it is used, it posts with a token, it escapes, it speaks Chinese."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.battery.checks import foreign_words
from tests.house import TEMPLATES, listed, named, project_files, sources, tree_of

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


def html_of(path: Path) -> str:
    """The template without its tags and variables (which may stand inside an HTML tag), tokens of forms marked."""
    text = without_comments(path).replace("{% csrf_token %}", "<csrf>")
    return re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)


def careless_forms(html: str) -> list[str]:
    bare = []
    for head, body in re.findall(r"<form\b([^>]*)>(.*?)</form>", html, re.DOTALL):
        posted = 'method="post"' in head
        if posted and "<csrf>" not in body:
            bare.append("a posted form without its token")
        # What is not posted only looks for something.
        if not posted and 'role="search"' not in head:
            bare.append("a form that neither posts nor searches")
    return bare


def test_forms_that_change_something_are_posted_with_a_token() -> None:
    bare = [f"{named(path)}: {fault}" for path in pages() for fault in careless_forms(html_of(path))]
    assert bare == [], listed(bare)


def test_the_search_for_careless_forms_finds_them() -> None:
    assert careless_forms('<form method="post" action=""><csrf><button></button></form>') == []
    assert careless_forms('<form method="post"><button></button></form>') == ["a posted form without its token"]
    assert careless_forms("<form><button></button></form>") == ["a form that neither posts nor searches"]


def test_fragments_change_something_only_inside_a_form() -> None:
    """Without JavaScript the form does the same; put, patch and delete have no form."""
    loose = []
    for path in pages():
        html = html_of(path)
        loose += [f"{named(path)} {verb}" for verb in re.findall(r"hx-(?:put|patch|delete)\b", html)]
        posting = re.findall(r"<(\w+)\b[^>]*\bhx-post=", html)
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
