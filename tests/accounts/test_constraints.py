"""A settings entry that violates a constraint gets a sentence, never an error page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client, RequestFactory

from accounts.constraints import SENTENCES
from accounts.models import Holiday, Role, User
from conversations.models import Article, Block, Tag
from tests.factories import GroupFactory, SkillFactory, UserFactory
from tests.routing.test_admin_rights import browser, formset, group_form, page

pytestmark = pytest.mark.django_db
# A block ends by its own button; its page writes neither of the two times. The page of a service
# account has no password, that of an article no source, and that of a tag no merge.
UNREACHED = {
    "article_source_once",
    "block_ends_after_start",
    "merged_tag_is_archived",
    "service_account_has_no_password",
    "tag_is_not_merged_into_itself",
}


@pytest.fixture
def client() -> Client:
    return browser(UserFactory(role=Role.ADMIN))


def asker() -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.user = UserFactory(role=Role.ADMIN)
    return request


def written_models() -> set[Any]:
    """Return the models whose rows an administrator adds or changes, by a page or inline."""
    request, models = asker(), set[Any]()
    for model, its_admin in admin.site._registry.items():
        for one in (its_admin, *its_admin.get_inline_instances(request)):
            if one.has_add_permission(request, None) or one.has_change_permission(request):
                models.add(one.model if one is not its_admin else model)
    return models


def test_every_reachable_constraint_has_a_message() -> None:
    names = {rule.name for model in written_models() for rule in model._meta.constraints}
    assert "group_name_once" in names
    assert names - UNREACHED - set(SENTENCES) == set()
    reasoned = [rule for model in (Article, Block, Tag, User) for rule in model._meta.constraints]
    assert {rule.name for rule in reasoned} >= UNREACHED


def errors(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return list(answer.context["adminform"].form.non_field_errors())


def test_a_duplicate_name_is_refused_without_a_website_field(client: Client) -> None:
    group = GroupFactory(name="Sales")
    other = GroupFactory(website=group.website, name="Support")
    sentence = str(SENTENCES["group_name_once"])
    assert errors(client.post(page(other), group_form(other, name="Sales"))) == [sentence]
    added = group_form(group, managers=[], members=[])
    assert errors(client.post("/admin/accounts/group/add/", added)) == [sentence]
    assert client.post(page(other), group_form(other, name="Service")).status_code == 302


def test_the_error_is_shown_once(client: Client) -> None:
    skill = SkillFactory(name="Loans")
    typed = {"website": skill.website_id, "kind": skill.kind, "name": "Loans"}
    answer = client.post("/admin/accounts/skill/add/", typed)
    assert errors(answer) == [str(SENTENCES["skill_name_once"])]


def test_inline_rows_show_constraint_errors(client: Client) -> None:
    group = GroupFactory()
    day = {"date": "2035-12-25", "name": "Christmas", "opens": "", "closes": ""}
    whole = group_form(group, **formset("holidays", day))
    assert client.post(page(group), whole).status_code == 302
    answer = client.post(page(group), whole)
    assert str(SENTENCES["holiday_once"]) in answer.content.decode()
    half = group_form(group, **formset("holidays", day | {"date": "2035-12-26", "opens": "09:00"}))
    answer = client.post(page(group), half)
    assert answer.content.decode().count(str(SENTENCES["special_hours_are_whole"])) == 1
    assert Holiday.objects.count() == 1
