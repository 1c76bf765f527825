"""Years of history for the reports, created by SQL: a million conversations with a valid ledger.

Five typical stories, spread over the hours of the week as customers write. The random numbers are
seeded, so that two runs create the same history. ``bench.reports`` measures on it.
"""

from __future__ import annotations

from django.db import connection

SEED = 0.42
MESSAGES_EACH = 10

# One row for each conversation: what happened to it, and when. ``k`` selects its story.
STORIES = """
    CREATE TEMP TABLE story AS
    WITH drawn AS (
        SELECT random() AS k, random() AS d, random() AS h, random() AS a, random() AS b,
            random() AS w, random() AS t, random() AS z, random() AS s
        FROM generate_series(1, %(number)s)
    ), opened AS (
        SELECT *, date_trunc('day', now()) - interval '1 day'
            - floor(d * %(days)s) * interval '1 day'
            + (7 + 14 * (h + w * w) / 2) * interval '1 hour' AS opened_at
        FROM drawn
    )
    SELECT row_number() OVER (ORDER BY opened_at) + %(base)s AS id, opened_at, a, b, s,
        CASE WHEN k < .66 THEN 'plain' WHEN k < .82 THEN 'snoozed' WHEN k < .90 THEN 'passed'
             WHEN k < .95 THEN 'bot' ELSE 'silent' END AS kind,
        opened_at + (5 + 1200 * w * w * w) * interval '1 second' AS pushed_at,
        opened_at + (20 + 1200 * w * w * w + 300 * t) * interval '1 second' AS answered_at,
        opened_at + (400 + 1200 * w * w * w + 1500 * t) * interval '1 second' AS left_at,
        opened_at + (400 + 1200 * w * w * w + 1500 * t) * interval '1 second'
            + (1800 + 86400 * z) * interval '1 second' AS back_at,
        opened_at + (400 + 1200 * w * w * w + 1500 * t) * interval '1 second'
            + (1860 + 86400 * z) * interval '1 second' AS again_at,
        opened_at + (400 + 1200 * w * w * w + 1500 * t) * interval '1 second'
            + (2760 + 86400 * z + 1200 * t) * interval '1 second' AS closed_at,
        (%(messages)s * (.5 + t))::int AS messages
    FROM opened
"""
PEOPLE = """
    CREATE TEMP TABLE told AS
    SELECT y.*, v.id AS visitor_id, q.id AS queue_id, q.rule_id, q.group_id,
        x.agent_id AS first_id, x.user_id AS first_user, z.agent_id AS second_id,
        z.user_id AS second_user,
        CASE WHEN kind IN ('plain', 'bot') THEN left_at
             ELSE closed_at END AS ended_at,
        (ARRAY['live', 'live_with_return', 'social'])[1 + y.id %% 3] AS style,
        (ARRAY['fr', 'fr', 'en'])[1 + y.id %% 3] AS language
    FROM story y
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM conversations_visitor
          WHERE website_id = %(website)s) v ON v.n = 1 + y.id %% %(visitors)s
    JOIN (SELECT s.*, row_number() OVER (ORDER BY s.id) - 1 AS n FROM routing_rulestep s
          WHERE s.group_id IN (SELECT id FROM accounts_group WHERE website_id = %(website)s)) q
        ON q.n = floor(y.s * %(groups)s)
    JOIN (SELECT id AS agent_id, user_id, row_number() OVER (ORDER BY id) - 1 AS n
          FROM accounts_agent) x ON x.n = floor(y.a * %(agents)s)
    JOIN (SELECT id AS agent_id, user_id, row_number() OVER (ORDER BY id) - 1 AS n
          FROM accounts_agent) z ON z.n = floor(y.b * %(agents)s)
"""
VISITORS = """
    INSERT INTO conversations_visitor
        (public_id, website_id, token_hash, address_hash, name, language, created_at)
    SELECT gen_random_uuid(), %(website)s, md5(random()::text || n) || md5(n::text), '', '', 'en',
        now() - interval '4 years'
    FROM generate_series(1, %(visitors)s) n
"""
CONVERSATIONS = """
    INSERT INTO conversations_conversation
        (id, public_id, website_id, visitor_id, status, channel, style, is_asynchronous, language,
         page_url, rule_id, queue_id, group_id, agent_id, required_skills, are_skills_relaxed,
         is_return, is_kept, is_auto_close, opened_at, queued_at, moved_at, closed_at, closed_by,
         close_reason, deadline_kind, last_seq, visitor_read_seq, agent_read_seq,
         last_visitor_message_at, last_agent_message_at, first_human_reply_at,
         began_to_wait_at, last_holder_id, contact_count, changed_hands, is_begun_by_bot, payee_id,
         payee_role)
    SELECT id, gen_random_uuid(), %(website)s, visitor_id, 'closed', 'chat',
        style, true, language, '', rule_id,
        CASE WHEN kind <> 'bot' THEN queue_id END, CASE WHEN kind <> 'bot' THEN group_id END,
        CASE kind WHEN 'plain' THEN first_id WHEN 'snoozed' THEN first_id
                  WHEN 'passed' THEN second_id END,
        '{}', false, kind IN ('snoozed', 'passed'), false, kind = 'silent', opened_at,
        CASE WHEN kind <> 'bot' THEN opened_at END, ended_at, ended_at,
        CASE kind WHEN 'bot' THEN 'bot' WHEN 'silent' THEN 'system' ELSE 'agent' END,
        CASE kind WHEN 'bot' THEN 'bot_ended' WHEN 'silent' THEN 'snooze_over'
                  ELSE 'resolved' END,
        '', messages, 0, 0, opened_at, CASE WHEN kind <> 'bot' THEN left_at END,
        CASE WHEN kind <> 'bot' THEN answered_at END,
        CASE kind WHEN 'bot' THEN NULL WHEN 'snoozed' THEN back_at WHEN 'passed' THEN left_at
                  ELSE opened_at END,
        CASE kind WHEN 'bot' THEN NULL WHEN 'passed' THEN second_id ELSE first_id END,
        CASE WHEN kind = 'bot' THEN 0 WHEN kind IN ('snoozed', 'passed') THEN 2 ELSE 1 END,
        kind = 'passed' AND first_id <> second_id, kind = 'bot',
        CASE kind WHEN 'bot' THEN NULL WHEN 'passed' THEN second_id ELSE first_id END,
        CASE kind WHEN 'bot' THEN ''
             WHEN 'passed' THEN (SELECT role FROM accounts_user WHERE id = second_user)
             ELSE (SELECT role FROM accounts_user WHERE id = first_user) END
    FROM told ORDER BY id
"""
# Verb, moment, actor and resulting state, in chronological order.
EVENTS = """
    INSERT INTO conversations_event
        (conversation_id, website_id, verb, at, actor_kind, actor_user_id, to_status, agent_id,
         group_id, queue_id, deadline_at, data)
    SELECT t.id, %(website)s, e.verb, e.at, e.actor, e.who, e.status, e.agent_id,
        CASE WHEN kind <> 'bot' THEN group_id END, CASE WHEN kind <> 'bot' THEN queue_id END,
        NULL, e.data
    FROM told t CROSS JOIN LATERAL (VALUES
        (1, kind <> 'bot', 'queue', opened_at, 'visitor', NULL::bigint, 'queued', NULL::bigint,
            '{}'::jsonb),
        (1, kind = 'bot', 'start_bot', opened_at, 'visitor', NULL, 'bot', NULL, '{}'),
        (2, kind <> 'bot', 'push', pushed_at, 'system', NULL, 'active', first_id, '{}'),
        (3, kind = 'plain', 'close', left_at, 'agent', first_user, 'closed', first_id,
            '{"end_reason": "closed"}'),
        (3, kind = 'bot', 'close', left_at, 'bot', NULL, 'closed', NULL, '{}'),
        (3, kind = 'snoozed', 'snooze', left_at, 'agent', first_user, 'snoozed', first_id,
            '{"end_reason": "snoozed"}'),
        (4, kind = 'snoozed', 'wake_to_agent', back_at, 'visitor', NULL, 'assigned', first_id,
            '{}'),
        (5, kind = 'snoozed', 'push', again_at, 'system', NULL, 'active', first_id, '{}'),
        (6, kind = 'snoozed', 'close', closed_at, 'agent', first_user, 'closed', first_id,
            '{"end_reason": "closed"}'),
        (3, kind = 'passed', 'transfer_to_group', left_at, 'agent', first_user, 'queued', NULL,
            '{"end_reason": "transferred"}'),
        (4, kind = 'passed', 'push', again_at, 'system', NULL, 'active', second_id, '{}'),
        (5, kind = 'passed', 'close', closed_at, 'agent', second_user, 'closed', second_id,
            '{"end_reason": "closed"}'),
        (3, kind = 'silent', 'snooze', left_at, 'agent', first_user, 'snoozed', NULL,
            '{"end_reason": "snoozed"}'),
        (4, kind = 'silent', 'close', closed_at, 'system', NULL, 'closed', NULL, '{}')
    ) AS e (step, is_there, verb, at, actor, who, status, agent_id, data)
    WHERE e.is_there ORDER BY e.at, t.id, e.step
"""
CONTACTS = """
    INSERT INTO conversations_contact
        (conversation_id, website_id, rule_id, style, language, agent_id, group_id, channel,
         queued_at, began_to_wait_at, started_at, ended_at, end_reason)
    SELECT t.id, %(website)s, t.rule_id, t.style, t.language, c.agent_id, t.group_id, 'chat',
        c.queued_at, c.queued_at, c.started_at, c.ended_at, c.reason
    FROM told t CROSS JOIN LATERAL (VALUES
        (kind <> 'bot', first_id, opened_at, pushed_at, left_at, CASE kind
            WHEN 'plain' THEN 'closed' WHEN 'passed' THEN 'transferred' ELSE 'snoozed' END),
        (kind = 'snoozed', first_id, back_at, again_at, closed_at, 'closed'),
        (kind = 'passed', second_id, left_at, again_at, closed_at, 'closed')
    ) AS c (is_there, agent_id, queued_at, started_at, ended_at, reason)
    WHERE c.is_there ORDER BY c.ended_at
"""
MESSAGES = """
    INSERT INTO conversations_message
        (conversation_id, seq, client_id, author, agent_id, body, created_at)
    SELECT t.id, n, gen_random_uuid(), said.author,
        CASE WHEN said.author = 'agent' THEN t.first_id END,
        'Bonjour, où en est ma commande ? Merci d’avance.',
        CASE n WHEN 1 THEN t.opened_at WHEN 2 THEN t.answered_at
            ELSE t.answered_at + n * (t.left_at - t.answered_at) / (t.messages + 1) END
    FROM told t CROSS JOIN LATERAL generate_series(1, t.messages) n
    CROSS JOIN LATERAL (SELECT CASE WHEN n %% 2 = 1 THEN 'visitor' WHEN t.kind = 'bot' THEN 'bot'
        ELSE 'agent' END AS author) said
    ORDER BY t.id, n
"""
SURVEYS = """
    INSERT INTO conversations_survey
        (conversation_id, website_id, rule_id, style, language, agent_id, group_id, offered_at,
         answered_at, csat, nps, comment)
    SELECT id, %(website)s, rule_id, style, language, first_id, group_id, ended_at,
        CASE WHEN a < .4 THEN ended_at + b * interval '1 hour' END,
        CASE WHEN a < .4 THEN 1 + floor(5 * sqrt(b))::int END,
        CASE WHEN a < .38 THEN floor(11 * sqrt(s))::int END,
        CASE WHEN a < .1 THEN 'Réponse claire et rapide.' ELSE '' END
    FROM told WHERE kind <> 'bot' AND s < .7 ORDER BY ended_at
"""
SALES = """
    INSERT INTO reporting_transaction
        (website_id, external_id, amount, refunded, currency, made_at, origin, visitor_id,
         recorded_at, outcome, agent_id, group_id, conversation_id, message_seq, elapsed, delay)
    SELECT %(website)s, id::text, round((5 + 200 * b)::numeric, 2), 0, 'EUR',
        left_at + b * interval '40 hours', 'api', visitor_id, left_at + interval '40 hours',
        'attributed', first_id, group_id, id, 2, b * interval '40 hours', interval '48 hours'
    FROM told WHERE kind <> 'bot' AND id %% 10 = 0
"""
# One agent in four is paid per conversation.
EXPERTS = """
    UPDATE accounts_user SET role = 'expert'
    WHERE id IN (SELECT user_id FROM accounts_agent WHERE id %% 4 = 0)
"""
# Eight hours a day for each agent, split at the full hour; available for most of it.
SPANS = """
    INSERT INTO conversations_statusspan
        (agent_id, website_id, channel, is_available, started_at, ended_at, busy_seconds,
         open_seconds)
    SELECT a.id, %(website)s, 'chat', h <> 12, day + h * interval '1 hour',
        day + (h + 1) * interval '1 hour', 1800 + 1500 * random(), 3600
    FROM accounts_agent a
    CROSS JOIN generate_series(date_trunc('day', now()) - %(days)s * interval '1 day',
        date_trunc('day', now()) - interval '1 day', interval '1 day') day
    CROSS JOIN generate_series(8, 15) h
    WHERE extract(isodow FROM day) < 6
    ORDER BY day, h, a.id
"""
STEPS = {
    "experts": EXPERTS,
    "visitors": VISITORS,
    "stories": STORIES,
    "people": PEOPLE,
    "conversations": CONVERSATIONS,
    "events": EVENTS,
    "contacts": CONTACTS,
    "messages": MESSAGES,
    "surveys": SURVEYS,
    "sales": SALES,
    "spans": SPANS,
}


def make(number: int, *, website: int, groups: int, agents: int, days: int) -> None:
    """Create ``number`` closed conversations over the last ``days`` days, with all related rows."""
    values = {
        "number": number,
        "website": website,
        "groups": groups,
        "agents": agents,
        "days": days,
        "visitors": max(number // 4, 1),
        "messages": MESSAGES_EACH,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET work_mem = '128MB'")
        cursor.execute("SELECT setseed(%s)", [SEED])
        cursor.execute("SELECT coalesce(max(id), 0) FROM conversations_conversation")
        values["base"] = cursor.fetchone()[0]
        for name, query in STEPS.items():
            cursor.execute(query, values)
            print(name, cursor.rowcount, flush=True)
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('conversations_conversation', 'id'),"
            " (SELECT max(id) FROM conversations_conversation))"
        )
        cursor.execute("DROP TABLE story, told")
        cursor.execute("VACUUM ANALYZE")
