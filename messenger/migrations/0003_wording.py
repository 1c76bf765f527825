"""Reword why replies by e-mail were refused. The reasons are stored in English and translated when
they are shown, so stored ones must match a text of the code."""

from django.db import migrations, models

REWORDED = {
    "not an address that we signed": "unknown reply address",
    "delivered before": "already delivered",
    "written by a machine": "automatic message",
    "too many in an hour": "too many e-mails in one hour",
    "no words of its own": "no text besides the quotation",
    "the conversation takes no messages": "the conversation no longer accepts messages",
    "told how to come back earlier that day": "instructions to come back already sent that day",
}


def reword(replies, reworded):
    for old, new in reworded.items():
        replies.filter(reason=old).update(reason=new)


def forwards(apps, schema_editor):
    reword(apps.get_model("messenger", "Reply").objects, REWORDED)


def backwards(apps, schema_editor):
    former = {new: old for old, new in REWORDED.items()}
    reword(apps.get_model("messenger", "Reply").objects, former)


class Migration(migrations.Migration):
    dependencies = [("messenger", "0002_reply_emails")]

    operations = [
        migrations.AlterField(
            model_name="reply",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("accepted", "Added to the conversation"),
                    (
                        "closed",
                        "Conversation closed: the visitor was sent instructions to start again",
                    ),
                    ("refused", "Rejected"),
                    ("ignored", "Ignored"),
                ],
                max_length=8,
                verbose_name="outcome",
            ),
        ),
        migrations.RunPython(forwards, backwards, elidable=True),
    ]
