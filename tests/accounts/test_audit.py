"""Every change of a setting is recorded with its actor, time and values, by any entry point."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.test import Client

from accounts import audit
from accounts.models import Change, Channel, Group, Role, User
from routing.models import RuleStep
from tests.factories import PASSWORD, AgentFactory, GroupFactory, StepFactory, UserFactory

pytestmark = pytest.mark.django_db

# Models that record people's actions or the product's own notes, not settings.
NOT_SETTINGS = {
    "accounts.change",
    "accounts.failedlogin",
    "accounts.login",
    "messenger.attempt",
    "messenger.mail",
    "messenger.reply",
    "accounts.preferences",  # how a user likes their own desk
    "accounts.user_groups",  # roles decide, not Django's groups and permissions
    "accounts.user_user_permissions",
    "routing.botdraft",  # its versions are recorded
    "routing.botrun",
    "routing.programrun",
    "routing.bottest",
    "routing.deskconnection",
    "routing.deskpresence",
    "routing.hourlydemand",  # counted, not set
    "routing.repair",
}


def last(**about: Any) -> Change:
    change = Change.objects.filter(**about).first()
    assert change is not None, f"no change of {about} in {list(Change.objects.values())}"
    return change


def test_a_change_records_its_actor_and_both_values() -> None:
    admin = UserFactory(role=Role.ADMIN, first_name="Ada", last_name="Lemoine")
    step = StepFactory(places=3)
    with audit.acting(admin):
        step.places = 7
        step.save()
    change = last(model="routing.rulestep")
    assert (change.actor_id, change.actor) == (admin.pk, "Ada Lemoine")
    assert (change.kind, change.object_id) == ("UPDATE", step.pk)
    assert (change.before, change.after) == ({"places": 3}, {"places": 7})
    assert (change.owner_model, change.owner_id) == ("routing.distributionrule", step.rule_id)


def test_unsigned_changes_have_no_actor() -> None:
    group = GroupFactory()
    with audit.acting(UserFactory(role=Role.ADMIN)):
        Group.objects.filter(pk=group.pk).update(name="Signed")
    connection.cursor().execute(
        "UPDATE accounts_group SET name = 'By hand' WHERE id = %s", [group.pk]
    )
    by_hand = last(model="accounts.group")
    assert (by_hand.after, by_hand.actor_id, by_hand.actor) == ({"name": "By hand"}, None, "")


def test_members_and_deletions_are_recorded() -> None:
    agent, group = AgentFactory(display_name="Alice"), GroupFactory(name="Experts")
    group.members.add(agent)
    added = last(model="accounts.group_members")
    assert (added.kind, added.owner_id, added.before) == ("INSERT", group.pk, None)
    assert added.after["agent_id"] == agent.pk
    group_id = group.pk
    group.delete()
    gone = last(model="accounts.group")
    assert (gone.kind, gone.object_id, gone.name) == ("DELETE", group_id, "Experts")
    assert last(model="accounts.group_members").kind == "DELETE"


def test_a_password_is_never_in_the_record() -> None:
    user: User = UserFactory()
    user.set_password("another secret")
    user.save()
    changed = last(model="accounts.user", kind="UPDATE")
    assert (changed.before, changed.after) == ({"password": "•••"}, {"password": "•••"})
    stored = str(list(Change.objects.values_list("before", "after")))
    assert user.password not in stored
    assert PASSWORD not in stored


def test_changes_that_are_no_settings_are_not_recorded() -> None:
    agent, step = AgentFactory(), StepFactory()
    before = Change.objects.count()
    agent.channels.filter(channel=Channel.CHAT).update(is_available=False)
    RuleStep.objects.filter(pk=step.pk).update(entered_at="2026-11-22T09:00:00Z")
    RuleStep.objects.filter(pk=step.pk).update(places=step.places)  # the same again
    Client().force_login(agent.user)  # writes last_login
    assert Change.objects.count() == before


@pytest.mark.parametrize(
    "verb", ["UPDATE accounts_change SET actor = ''", "DELETE FROM accounts_change"]
)
def test_the_record_is_append_only(verb: str) -> None:
    GroupFactory()
    assert Change.objects.exists()
    with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
        connection.cursor().execute(verb)


def test_a_rolled_back_change_is_not_recorded() -> None:
    group = GroupFactory(name="Experts")
    before = Change.objects.count()

    def fail() -> None:
        with audit.acting(UserFactory.build(pk=1)):
            Group.objects.filter(pk=group.pk).update(name="Nobody")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Change.objects.count() == before


# Settings in apps that hold no other settings.
ELSEWHERE = {
    "conversations.article",
    "conversations.cannedreply",
    "conversations.cannedfile",
    "conversations.languagemodelsettings",
    "conversations.suggestionsettings",
    "conversations.tag",
    "conversations.webhook",
    "conversations.inbox",
}


def settings_tables() -> set[str]:
    """Return each model of the apps that hold settings, including many-to-many tables."""
    models: set[str] = set(ELSEWHERE)
    for app in ("accounts", "routing", "messenger"):
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                models.add(model._meta.label_lower)
    return models - NOT_SETTINGS


def test_every_model_of_settings_is_recorded() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT convert_from(split_part(encode(tgargs, 'escape'), '\\000', 1)::bytea, 'UTF8')"
            " FROM pg_trigger WHERE tgname = 'record_change'"
        )
        recorded = {row[0] for row in cursor.fetchall()}
    # Of the login library, who has which second factor is a setting of the account.
    assert recorded == settings_tables() | {"mfa.authenticator"}


def test_recorded_owners_exist() -> None:
    step = StepFactory()
    step.group.members.add(AgentFactory())
    for change in Change.objects.exclude(owner_model=""):
        owner = apps.get_model(change.owner_model)
        assert issubclass(owner, models.Model)
        assert owner._base_manager.filter(pk=change.owner_id).exists()


@pytest.mark.django_db(transaction=True)
def test_a_signature_ends_with_its_transaction() -> None:
    """The next change on the same pooled connection is not attributed to the former user."""
    group = GroupFactory()
    with audit.acting(UserFactory(role=Role.ADMIN)):
        Group.objects.filter(pk=group.pk).update(name="Signed")
    Group.objects.filter(pk=group.pk).update(name="Not signed")
    assert last(model="accounts.group", after__name="Signed").actor_id is not None
    assert last(model="accounts.group", after__name="Not signed").actor_id is None
