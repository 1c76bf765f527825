"""Store the secrets of identities and applications encrypted, instead of deriving them each time
from ``SECRET_KEY``: they stay the same when ``SECRET_KEY`` changes.

The column of the salts stays until a later version, so that one can return to the version before.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils.crypto import salted_hmac

import accounts.models.identity
import core.encryption
from accounts import audit

DERIVED = {"identitysecret": "causerie.identity", "toolbarapp": "causerie.toolbar app"}
NEW_SALT = "encode(sha256((gen_random_uuid()::text || gen_random_uuid())::bytea), 'hex')"


def store_derived(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for model, key_salt in DERIVED.items():
        rows: Any = apps.get_model("accounts", model)._default_manager
        for pk, salt in rows.values_list("pk", "salt"):
            derived = salted_hmac(key_salt, salt, algorithm="sha256").hexdigest()
            rows.filter(pk=pk).update(secret=derived)


def recorded(model: str, *secret: str) -> migrations.RunSQL:
    return audit.recorded(
        f"accounts.{model}", owner=("accounts.website", "website_id"), secret=secret
    )


def unrecorded(model: str, *secret: str) -> migrations.RunSQL:
    before = recorded(model, *secret)
    return migrations.RunSQL(before.reverse_sql, before.sql)


def without_salt(model: str) -> migrations.RunSQL:
    table = f"accounts_{model}"
    return migrations.RunSQL(
        f"ALTER TABLE {table} ALTER salt DROP NOT NULL",
        f"UPDATE {table} SET salt = {NEW_SALT} WHERE salt IS NULL;"
        f"ALTER TABLE {table} ALTER salt SET NOT NULL",
        state_operations=[migrations.RemoveField(model_name=model, name="salt")],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_login_rules"),
    ]

    operations = [
        unrecorded("identitysecret", "salt"),
        recorded("identitysecret", "salt", "secret"),
        unrecorded("toolbarapp", "salt"),
        recorded("toolbarapp", "salt", "secret"),
        migrations.AddField(
            model_name="identitysecret",
            name="secret",
            field=core.encryption.EncryptedTextField(null=True, purpose="identity"),
        ),
        migrations.AddField(
            model_name="toolbarapp",
            name="secret",
            field=core.encryption.EncryptedTextField(null=True, purpose="toolbar app"),
        ),
        migrations.RunPython(store_derived, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="identitysecret",
            name="secret",
            field=core.encryption.EncryptedTextField(
                default=accounts.models.identity.new_secret, editable=False, purpose="identity"
            ),
        ),
        migrations.AlterField(
            model_name="toolbarapp",
            name="secret",
            field=core.encryption.EncryptedTextField(
                default=accounts.models.identity.new_secret, editable=False, purpose="toolbar app"
            ),
        ),
        without_salt("identitysecret"),
        without_salt("toolbarapp"),
    ]
