"""Add denormalized columns for the figures; the next migration fills them for existing rows."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_retention"),
        ("conversations", "0019_erasures"),
        ("routing", "0008_choices"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="conversation",
            name="closed_by_website",
        ),
        migrations.RemoveIndex(
            model_name="conversation",
            name="opened_by_website",
        ),
        migrations.RemoveIndex(
            model_name="survey",
            name="surveys_by_answer",
        ),
        migrations.RemoveIndex(
            model_name="survey",
            name="surveys_by_offer",
        ),
        migrations.AddField(
            model_name="contact",
            name="began_to_wait_at",
            field=models.DateTimeField(
                help_text="When it began to wait for this desk; an expiry does not begin anew.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="began_to_wait_at",
            field=models.DateTimeField(
                help_text="When it last began to wait for a desk; an expiry does not.", null=True
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="changed_hands",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It has been on desks of different agents.",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="contact_count",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="How many times it has reached a desk."
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="is_begun_by_bot",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="conversation",
            name="last_holder",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                help_text="The agent who last had it on their desk.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.agent",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="payee",
            field=models.ForeignKey(
                db_index=False,
                help_text="The expert whom the closed conversation pays, if any (R66, C28).",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.agent",
            ),
        ),
        migrations.AddField(
            model_name="survey",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="website",
            field=models.ForeignKey(
                db_index=False,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.website",
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="agent",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="accounts.agent",
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="accounts.group",
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="queued_at",
            field=models.DateTimeField(help_text="Its rank in the queue."),
        ),
    ]
