"""Store with ledger lines the actor's desk, with status intervals the agent's groups, and with
suggestions the conversation's group (C57). Triggers do it, so that no entry point can forget it."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

STAMPS = """
    CREATE FUNCTION conversations_stamp_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.actor_agent_id := (SELECT id FROM accounts_agent WHERE user_id = NEW.actor_user_id);
        RETURN NEW;
    END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON conversations_event
        FOR EACH ROW WHEN (NEW.actor_user_id IS NOT NULL AND NEW.actor_agent_id IS NULL)
        EXECUTE FUNCTION conversations_stamp_event();

    CREATE FUNCTION conversations_stamp_span() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.groups := ARRAY(
            SELECT g.id FROM accounts_group g JOIN accounts_group_members m ON m.group_id = g.id
            WHERE m.agent_id = NEW.agent_id AND g.website_id = NEW.website_id ORDER BY g.id
        );
        RETURN NEW;
    END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON conversations_statusspan
        FOR EACH ROW WHEN (NEW.groups IS NULL) EXECUTE FUNCTION conversations_stamp_span();

    CREATE FUNCTION conversations_stamp_offer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.group_id := (
            SELECT c.group_id FROM conversations_conversation c WHERE c.id = NEW.conversation_id
        );
        RETURN NEW;
    END $$;
    CREATE TRIGGER stamp BEFORE INSERT ON conversations_suggestionoffer
        FOR EACH ROW WHEN (NEW.group_id IS NULL) EXECUTE FUNCTION conversations_stamp_offer();
"""
NO_STAMPS = """
    DROP TRIGGER stamp ON conversations_event;
    DROP TRIGGER stamp ON conversations_statusspan;
    DROP TRIGGER stamp ON conversations_suggestionoffer;
    DROP FUNCTION conversations_stamp_event();
    DROP FUNCTION conversations_stamp_span();
    DROP FUNCTION conversations_stamp_offer();
"""
# Only lines that figures attribute to an agent. A user whose desk was created later had none at the
# time, unless conversations were on it before the record of changes mentions its creation.
EVENTS = """
    ALTER TABLE conversations_event DISABLE TRIGGER conversations_event_stands;
    UPDATE conversations_event e SET actor_agent_id = a.id
    FROM accounts_agent a
    LEFT JOIN (
        SELECT object_id, max(at) AS at FROM accounts_change
        WHERE model = 'accounts.agent' AND kind = 'INSERT' GROUP BY object_id
    ) made ON made.object_id = a.id
    LEFT JOIN (
        SELECT agent_id, min(started_at) AS at FROM conversations_contact GROUP BY agent_id
    ) held ON held.agent_id = a.id
    WHERE a.user_id = e.actor_user_id
        AND e.verb IN ('transfer_to_group', 'transfer_to_agent', 'snooze', 'reopen',
            'reopen_to_group', 'expire', 'release', 'recall')
        AND e.at >= coalesce(least(made.at, held.at), e.at);
    SET CONSTRAINTS ALL IMMEDIATE; -- or there are triggers left, and no table of them is altered
    SET CONSTRAINTS ALL DEFERRED;
    ALTER TABLE conversations_event ENABLE TRIGGER conversations_event_stands;
"""
# Past members come from the record of changes; without a change, membership is as it is now.
SPANS = """
    WITH said AS (
        SELECT object_id, kind, at,
            (coalesce(after, before) ->> 'agent_id')::bigint AS agent_id,
            (coalesce(after, before) ->> 'group_id')::bigint AS group_id
        FROM accounts_change WHERE model = 'accounts.group_members' AND kind <> 'UPDATE'
    ), known AS (
        SELECT id AS object_id, agent_id, group_id FROM accounts_group_members
        UNION SELECT object_id, agent_id, group_id FROM said
    ), member AS (
        SELECT k.agent_id, k.group_id, g.website_id,
            coalesce((SELECT max(at) FROM said s WHERE s.object_id = k.object_id
                AND s.kind = 'INSERT'), '-infinity') AS since,
            coalesce((SELECT max(at) FROM said s WHERE s.object_id = k.object_id
                AND s.kind = 'DELETE'), 'infinity') AS until
        FROM known k JOIN accounts_group g ON g.id = k.group_id
    )
    UPDATE conversations_statusspan t SET groups = coalesce((
        SELECT array_agg(DISTINCT m.group_id ORDER BY m.group_id) FROM member m
        WHERE m.agent_id = t.agent_id AND m.website_id = t.website_id
            AND m.since <= coalesce(t.ended_at, now()) AND m.until > t.started_at
    ), '{}')
"""
OFFERS = """
    UPDATE conversations_suggestionoffer o SET group_id = coalesce((
        SELECT k.group_id FROM conversations_contact k
        WHERE k.conversation_id = o.conversation_id AND k.agent_id = o.agent_id
            AND k.started_at <= o.offered_at
        ORDER BY k.started_at DESC, k.id DESC LIMIT 1
    ), c.group_id)
    FROM conversations_conversation c WHERE c.id = o.conversation_id
"""
PATIENTLY = "SET LOCAL statement_timeout = 0"
# Otherwise the rest could not alter the tables in the same transaction (in tests).
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_mirroring"),
        ("conversations", "0031_closures_of_the_past"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="actor_agent",
            field=models.ForeignKey(
                db_index=False,
                help_text="The desk that this user had then; the database writes it (C57).",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.agent",
            ),
        ),
        migrations.AddField(
            model_name="statusspan",
            name="groups",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                help_text="Of which groups of the website the agent was a member; ids.",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="suggestionoffer",
            name="group",
            field=models.ForeignKey(
                help_text=(
                    "For which the agent had the conversation; the database writes it (C57)."
                ),
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.group",
            ),
        ),
        migrations.AlterField(
            model_name="statusspan",
            name="agent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="spans",
                to="accounts.agent",
            ),
        ),
        migrations.AlterField(
            model_name="suggestionoffer",
            name="agent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="suggestion_offers",
                to="accounts.agent",
            ),
        ),
        migrations.RunSQL([PATIENTLY, AT_ONCE, STAMPS], NO_STAMPS),
        migrations.RunSQL([EVENTS, AT_ONCE, SPANS, OFFERS, AT_ONCE], migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="event", name="events_counted"),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(
                    (
                        "verb__in",
                        [
                            *("transfer_to_group", "transfer_to_agent", "snooze"),
                            *("reopen", "reopen_to_group", "expire", "release", "recall"),
                        ],
                    )
                ),
                fields=["website", "verb", "at"],
                include=("id", "conversation", "group", "actor_agent"),
                name="events_counted",
            ),
        ),
    ]
