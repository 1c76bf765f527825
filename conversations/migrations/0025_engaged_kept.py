"""Copy rule, style and language of conversations to contacts and surveys, existing ones included
(ADR 0027). It drops their indexes; the next migration recreates them."""

import django.db.models.deletion
from django.db import migrations, models

PATIENTLY = "SET LOCAL statement_timeout = 0"
FILL = """
    UPDATE conversations_{} t SET rule_id = c.rule_id, style = c.style, language = c.language
    FROM conversations_conversation c WHERE c.id = t.conversation_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0024_rule_in_the_indexes"),
        ("routing", "0010_shows_when_closed"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="contact", name="contacts_ended"),
        migrations.RemoveIndex(model_name="contact", name="contacts_begun"),
        migrations.RemoveIndex(model_name="survey", name="surveys_answered"),
        migrations.RemoveIndex(model_name="survey", name="surveys_offered"),
        migrations.AddField(
            model_name="contact",
            name="rule",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="routing.distributionrule",
                verbose_name="distribution rule",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="style",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("live_with_return", "Live, with return"),
                    ("social", "Social messaging"),
                ],
                max_length=20,
                null=True,
                verbose_name="style",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="language",
            field=models.CharField(max_length=10, null=True, verbose_name="language"),
        ),
        migrations.AddField(
            model_name="survey",
            name="rule",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="routing.distributionrule",
                verbose_name="distribution rule",
            ),
        ),
        migrations.AddField(
            model_name="survey",
            name="style",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("live_with_return", "Live, with return"),
                    ("social", "Social messaging"),
                ],
                max_length=20,
                null=True,
                verbose_name="style",
            ),
        ),
        migrations.AddField(
            model_name="survey",
            name="language",
            field=models.CharField(max_length=10, null=True, verbose_name="language"),
        ),
        migrations.RunSQL(
            [PATIENTLY, FILL.format("contact"), FILL.format("survey")], migrations.RunSQL.noop
        ),
    ]
