"""Every column that could hold personal data is exported and erased with its person, or excused."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model

from conversations.models import Person, Visitor
from conversations.privacy.personal_data import SECRET
from conversations.privacy.tables import outlives_erasure

# Kinds of columns that could hold a name, an address or words of a person.
KINDS = {
    *("CharField", "TextField", "JSONField", "EmailField", "URLField", "SlugField", "FileField"),
    *("GenericIPAddressField", "BinaryField", "ArrayField", "HStoreField", "SearchVectorField"),
}
# Columns of tables that refer to a person, and are not exported. They are erased with the rest.
NOT_EXPORTED = {
    "token_hash": "a hash of a random token",
    "address_hash": "a keyed hash, which nobody can read",
    "file": "a name in the storage; the file is erased",
    "thumbnail": "a name in the storage; the file is erased",
    "frames": "what an agent saw, which managers can replay; it is erased",
}
STAFF = "about staff, whose accounts the administration changes and deletes"
SETTINGS = "settings of a website or a team, written by its administrators"
FRAMEWORK = "names of the code, of the schema or of tasks"
SHORT = "deleted after some days: docs/operations.md, automatic deletion"
SHOP = "a purchase, which stays without its buyer"
# Columns of tables that refer to no person: why they hold none of a visitor's data.
EXCUSED: dict[str, tuple[str, str]] = {
    "account.emailaddress": (STAFF, "email"),
    "account.emailconfirmation": (STAFF, "key"),
    "accounts.admissionrule": (SETTINGS, "value"),
    "accounts.agent": (STAFF, "display_name languages"),
    "accounts.apitoken": (SETTINGS, "name scopes digest ending"),
    "accounts.change": (STAFF, "actor model name owner_model before after"),
    "accounts.externalidentity": (STAFF, "subject"),
    "accounts.failedlogin": ("a keyed hash, deleted with its limit's period", "subject"),
    "accounts.group": (SETTINGS, "name time_zone"),
    "accounts.holiday": (SETTINGS, "name"),
    "accounts.identityprovider": (SETTINGS, "name key issuer client_id client_secret groups_claim"),
    "accounts.identitysecret": (SETTINGS, "secret"),
    "accounts.login": (STAFF, "method device address provider_session session_key"),
    "accounts.serviceaccount": (
        STAFF,
        "password username first_name last_name email timezone external_id",
    ),
    "accounts.skill": (SETTINGS, "name"),
    "accounts.toolbarapp": (SETTINGS, "name url secret"),
    "accounts.user": (STAFF, "password username first_name last_name email timezone external_id"),
    "accounts.website": (
        SETTINGS,
        "name key domains time_zone past_zones accent logo_url texts mirror_hides mirror_sources "
        "jitsi_url cobrowsing",
    ),
    "admin.logentry": ("switched off", "object_id object_repr change_message"),
    "auth.group": ("not used", "name"),
    "auth.permission": (FRAMEWORK, "name codename"),
    "contenttypes.contenttype": (FRAMEWORK, "app_label model"),
    "conversations.article": (SETTINGS, "language name body source text stems"),
    "conversations.cannedfile": (SETTINGS, "name content_type file thumbnail"),
    "conversations.cannedreply": (SETTINGS, "name shortcut folder language body words"),
    "conversations.erasure": ("a keyed hash, and numbers", "subject rows"),
    "conversations.statusinterval": (STAFF, "groups"),
    "conversations.webhook": (SETTINGS, "name url events secret previous_secret"),
    "conversations.inbox": (SETTINGS, "kind name key token secret options templates trouble"),
    "conversations.mailboxposition": ("a number of the mail server", "validity"),
    "conversations.languagemodelsettings": (SETTINGS, "base_url model api_key"),
    "conversations.tag": (SETTINGS, "name category description"),
    "conversations.suggestionsettings": (SETTINGS, "provider_url provider_secret"),
    "core.outboxentry": (SHORT, "reaction payload last_error"),
    "core.storedanswer": (SHORT, "holder key fingerprint content_type body"),
    "django_celery_beat.crontabschedule": (
        FRAMEWORK,
        "minute hour day_of_month month_of_year day_of_week",
    ),
    "django_celery_beat.periodictask": (
        FRAMEWORK,
        "name task args kwargs queue exchange routing_key headers description",
    ),
    "messenger.sender": (SETTINGS, "name email"),
    "mfa.authenticator": (STAFF, "data"),
    "reporting.claim": (SHOP, "currency"),
    "reporting.export": (SHORT, "subject kind query about language websites groups file"),
    "reporting.refund": (SHOP, "external_id"),
    "reporting.shopkey": (SETTINGS, "name digest"),
    "reporting.transaction": (SHOP, "external_id currency language"),
    "routing.bot": (SETTINGS, "name picture_url escalation_text"),
    "routing.botdraft": (SETTINGS, "scenario"),
    "routing.botendpoint": (SETTINGS, "url owner_email secret"),
    "routing.bottest": (SETTINGS, "name language said trail"),
    "routing.botversion": (SETTINGS, "scenario"),
    "routing.distributionrule": (SETTINGS, "name"),
    "routing.hourlydemand": ("numbers", "groups"),
    "routing.targetingcondition": (SETTINGS, "name value"),
    "routing.targetingrule": (
        SETTINGS,
        "name pages_included pages_excluded languages devices texts",
    ),
    "sessions.session": (STAFF, "session_key session_data"),
}


def reached() -> set[type[Model]]:
    """Return the tables that an erasure finds: those that refer to a person or a visitor."""
    models: set[type[Model]] = {Person, Visitor}
    todo: list[type[Model]] = [Person, Visitor]
    while todo:
        for relation in todo.pop()._meta.related_objects:
            other = relation.related_model
            assert not isinstance(other, str)
            if other not in models and not outlives_erasure(other):
                models.add(other)
                todo.append(other)
    return models


def columns(model: type[Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if field.get_internal_type() in KINDS and not field.choices:
            yield field.name


def test_every_column_is_exported_and_erased_or_excused() -> None:
    known = reached()
    listed = {
        model._meta.label_lower: list(columns(model))
        for model in apps.get_models(include_auto_created=True)
        if model not in known
    }
    excused = {label: names.split() for label, (_reason, names) in EXCUSED.items()}
    assert {label: names for label, names in listed.items() if names} == excused


def test_every_column_that_is_erased_but_not_exported_has_a_reason() -> None:
    assert set(NOT_EXPORTED) == SECRET
    assert {name for model in reached() for name in columns(model)} >= SECRET - {"thumbnail"}
