"""P61 人员岗位: the system administrator makes accounts, which can do nothing; the security administrator grants posts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from eduaid.core import history
from eduaid.core.display import State
from eduaid.core.forms.setup import EndPostForm, NewUserForm, PostForm, UserForm
from eduaid.core.models import Post, Region, User
from eduaid.core.models.accounts import RoleKey
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Chip, Link, chip, options, paged
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.views.setup.tabs import PEOPLE, tabs


@dataclass(frozen=True)
class PostLine:
    role: str
    place: str
    from_on: dt.date
    until_on: dt.date | None
    ended: bool
    end_url: str


@dataclass(frozen=True)
class Person:
    name: str
    username: str
    url: str
    posts: list[PostLine]
    last_login: dt.datetime | None
    state: State


def _post_line(post: Post) -> PostLine:
    ended = post.until_on is not None and post.until_on < today()
    return PostLine(
        post.get_role_display(),
        str(post.region or post.school),
        post.from_on,
        post.until_on,
        ended,
        "" if ended else reverse("setup-post-end", args=[post.pk]),
    )


def _state(user: User) -> State:
    return State("ok", "启用") if user.is_active else State("mute", "已停用")


def _crumbs(*more: Link) -> list[Link]:
    return [Link("设置", reverse("setup")), Link("人员岗位", reverse("setup-users")), *more]


@needs(*PEOPLE)
def users(request: AccountRequest) -> HttpResponse:
    q, role, town = (request.GET.get(name, "").strip() for name in ("q", "role", "town"))
    towns = [(region.code, region.name) for region in Region.objects.townships()]
    held = Post.objects.held_on(today())
    found = User.objects.order_by("username")
    chips: list[Chip] = []
    if q:
        found = found.filter(Q(username__icontains=q) | Q(display_name__icontains=q))
        chips.append(chip(request, "q", q))
    if role in RoleKey.values:
        held_role = held.filter(role=role)
        found = found.filter(pk__in=held_role.values("user"))
        chips.append(chip(request, "role", RoleKey(role).label))
    if town in dict(towns):
        found = found.filter(pk__in=held.filter(Q(region__code=town) | Q(school__town__code=town)).values("user"))
        chips.append(chip(request, "town", dict(towns)[town]))
    page = paged(request, found.prefetch_related(Prefetch("posts", held.select_related("region", "school"))))
    people = [
        Person(
            user.display_name,
            user.username,
            reverse("setup-user", args=[user.pk]),
            [_post_line(post) for post in user.posts.all()],
            user.last_login,
            _state(user),
        )
        for user in page.rows
    ]
    return render(
        request,
        "setup/users.html",
        {
            "people": people,
            "page": page,
            "q": q,
            "roles": options(RoleKey.choices, role),
            "towns": options(towns, town),
            "chips": chips,
            "clear_url": reverse("setup-users"),
            "add_url": reverse("setup-user-new") if may(request.user, Right.MANAGE_ACCOUNTS) else "",
        }
        | tabs(request, "setup-users"),
    )


@needs(Right.MANAGE_ACCOUNTS)
def new_user(request: AccountRequest) -> HttpResponse:
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        messages.success(
            request, f"已建立账号 {user.username}。请安全管理员授予岗位后，{user.display_name}才能看到和办理业务。"
        )
        return redirect("setup-user", user.pk)
    context = {
        "title": "新增人员",
        "form": form,
        "back_url": reverse("setup-users"),
        "crumbs": _crumbs(Link("新增人员")),
    }
    return render(request, "setup/form.html", context | tabs(request, "setup-users"))


@needs(*PEOPLE)
def user(request: AccountRequest, pk: int) -> HttpResponse:
    """One person: the system administrator changes the account, the security administrator sees it and grants posts."""
    found = get_object_or_404(User, pk=pk)
    name = found.display_name
    may_change = may(request.user, Right.MANAGE_ACCOUNTS)
    form = UserForm(request.POST or None, instance=found) if may_change else None
    if form is not None and request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"已保存{found.display_name}")
        return redirect("setup-users")
    posts = list(found.posts.select_related("region", "school").order_by("-from_on", "pk"))
    return render(
        request,
        "setup/person.html",
        {
            "person": found,
            "title": name,
            "form": form,
            "posts": [_post_line(post) for post in posts],
            "state": _state(found),
            "grant_url": reverse("setup-post-new", args=[pk]) if may(request.user, Right.GRANT_POSTS) else "",
            "back_url": reverse("setup-users"),
            "history": _newest(found, posts),
            "crumbs": _crumbs(Link(name)),
        }
        | tabs(request, "setup-users"),
    )


def _newest(user: User, posts: list[Post]) -> list[history.Moment]:
    """What became of the account and of its posts, one after the other."""
    found = [*history.moments([user]), *history.moments(posts)]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:20]


@needs(Right.GRANT_POSTS)
def new_post(request: AccountRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    form = PostForm(request.POST or None, instance=Post(user=person), initial={"from_on": today()})
    if request.method == "POST" and form.is_valid():
        post = form.save()
        messages.success(request, f"已授予{person.display_name}：{post}")
        return redirect("setup-user", pk)
    back = reverse("setup-user", args=[pk])
    title = f"授予{person.display_name}岗位"
    context = {
        "title": title,
        "form": form,
        "back_url": back,
        "crumbs": _crumbs(Link(person.display_name, back), Link(title)),
    }
    return render(request, "setup/form.html", context | tabs(request, "setup-users"))


@needs(Right.GRANT_POSTS)
def end_post(request: AccountRequest, pk: int) -> HttpResponse:
    post = get_object_or_404(Post.objects.select_related("user", "region", "school"), pk=pk)
    person = post.user
    form = EndPostForm(request.POST or None, instance=post, initial={"until_on": today()})
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"已停用{person.display_name}的岗位：{post}")
        return redirect("setup-user", person.pk)
    back = reverse("setup-user", args=[person.pk])
    title = f"停用岗位：{post}"
    context = {
        "title": title,
        "form": form,
        "back_url": back,
        "crumbs": _crumbs(Link(person.display_name, back), Link(title)),
    }
    return render(request, "setup/form.html", context | tabs(request, "setup-users"))
