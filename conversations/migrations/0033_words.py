"""Recreate the indexes of the text search, which folds words by other rules.

A million messages take some minutes on one core, and writes are blocked meanwhile. Canned replies
and past answers are folded again in one statement each.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations
from django.db.models import F, Q
from django.db.models.fields.json import KT

from core.text.search_expressions import Words
from core.text.search_languages import CONFIGURATIONS, SIMPLE
from core.text.text_search_sql import SPACED, TOKENS

PATIENTLY = "SET LOCAL statement_timeout = 0"
CANNED = """
    UPDATE conversations_cannedreply SET words = causerie_spaced(
        concat_ws(' ', shortcut, name, folder, body)
    )
"""
# The configuration of each language, as core.text.search_languages names it.
CONFIGURATION = "CASE language {} ELSE '{}' END::regconfig".format(
    " ".join(f"WHEN '{code}' THEN '{name}'" for code, name in CONFIGURATIONS.items()), SIMPLE
)
ANSWERS = f"""
    UPDATE conversations_pastanswer SET
        question = causerie_spaced(question),
        words = to_tsvector({CONFIGURATION}, causerie_spaced(question))
"""
OLD = """
CREATE FUNCTION causerie_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple'::regconfig, replace(replace(
        lower(regexp_replace(normalize($1, NFKD), '[\\u0300-\\u036f]', '', 'g')),
        'œ', 'oe'), 'æ', 'ae'))
$$
"""
DROP = "DROP FUNCTION {}(text)"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0032_stamps")]

    operations = [
        migrations.RunSQL(PATIENTLY, migrations.RunSQL.noop),
        migrations.RemoveIndex("message", "messages_by_words"),
        migrations.RemoveIndex("note", "notes_by_words"),
        migrations.RemoveIndex("visitor", "visitors_by_words"),
        migrations.RemoveIndex("address", "addresses_by_email"),
        migrations.RunSQL(DROP.format("causerie_words"), OLD),
        migrations.RunSQL(TOKENS, DROP.format("causerie_tokens")),
        migrations.RunSQL(SPACED, DROP.format("causerie_spaced")),
        migrations.AddIndex(
            "message",
            GinIndex(Words(F("body")), name="messages_by_words", gin_pending_list_limit=256),
        ),
        migrations.AddIndex("note", GinIndex(Words(F("body")), name="notes_by_words")),
        migrations.AddIndex(
            "visitor",
            GinIndex(Words(F("name")), name="visitors_by_words", condition=~Q(name="")),
        ),
        migrations.AddIndex("address", GinIndex(Words(F("email")), name="addresses_by_words")),
        migrations.AddIndex("person", GinIndex(Words(F("external_id")), name="persons_by_words")),
        migrations.AddIndex(
            "person", GinIndex(Words(KT("profile__email")), name="persons_by_email")
        ),
        migrations.RunSQL([CANNED, ANSWERS], migrations.RunSQL.noop),
    ]
