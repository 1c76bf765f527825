"""Encrypt the secrets of websites' providers of suggestions."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from core import encryption

PURPOSE = "suggestion provider"
SECRETS = (
    "SELECT id, provider_secret FROM conversations_suggestionsettings WHERE provider_secret <> ''"
)
CHANGE = "UPDATE conversations_suggestionsettings SET provider_secret = %s WHERE id = %s"


def encrypt(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(SECRETS)
        for pk, text in cursor.fetchall():
            cursor.execute(CHANGE, [encryption.encrypt(text, purpose=PURPOSE), pk])


def decrypt(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(SECRETS)
        for pk, ciphertext in cursor.fetchall():
            cursor.execute(CHANGE, [encryption.decrypt(ciphertext, purpose=PURPOSE), pk])


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0043_places_of_an_address"),
    ]

    operations = [
        migrations.AlterField(
            model_name="suggestionsettings",
            name="provider_secret",
            field=encryption.EncryptedTextField(
                blank=True,
                default="",
                help_text="Sent as a bearer token.",
                max_length=200,
                purpose=PURPOSE,
                verbose_name="provider secret",
            ),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
