"""Add text search (docs/adr/0021): the function that folds words, and its indexes."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower

FOLD = r"""
CREATE OR REPLACE FUNCTION causerie_words(text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple'::regconfig, replace(replace(
        lower(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g')),
        'œ', 'oe'), 'æ', 'ae'))
$$
"""


class Words(Func):
    """The expression of that time; 0033 recreates the indexes by other rules."""

    function = "causerie_words"
    output_field = SearchVectorField()


class Migration(migrations.Migration):
    dependencies = [("conversations", "0009_canned_replies")]

    operations = [
        migrations.RunSQL(FOLD, "DROP FUNCTION causerie_words(text)"),
        migrations.AddIndex(
            "message",
            GinIndex(Words(F("body")), name="messages_by_words", gin_pending_list_limit=256),
        ),
        migrations.AddIndex(
            "note",
            GinIndex(Words(F("body")), name="notes_by_words"),
        ),
        migrations.AddIndex(
            "visitor",
            GinIndex(Words(F("name")), name="visitors_by_words", condition=~Q(name="")),
        ),
        migrations.AddIndex(
            "address",
            models.Index(
                OpClass(Lower("email"), name="text_pattern_ops"), name="addresses_by_email"
            ),
        ),
    ]
