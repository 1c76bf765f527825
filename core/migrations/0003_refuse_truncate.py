"""Add the function with which tables of records refuse TRUNCATE."""

from django.db import migrations

from core.db.never_truncated import FUNCTION, UNDO_FUNCTION


class Migration(migrations.Migration):
    dependencies = [("core", "0002_reaction_names")]

    operations = [migrations.RunSQL(FUNCTION, UNDO_FUNCTION)]
