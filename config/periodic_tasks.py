"""What beat starts, and how often."""

from __future__ import annotations

SCHEDULE = {
    # One turn does the work of all that were missed, so those that no worker took are dropped.
    name: {"task": task, "schedule": seconds, "options": {"expires": 10 * seconds}}
    for name, task, seconds in [
        ("deadlines", "conversations.tasks.enforce_deadlines", 3.0),
        ("outbox", "conversations.tasks.deliver_outbox", 10.0),
        ("routing", "routing.tasks.sweep", 10.0),
        ("opening", "routing.tasks.open_and_close", 10.0),
        ("looks", "conversations.tasks.end_silent_looks", 30.0),
        ("purge", "conversations.tasks.purge_outbox", 3600.0),
        ("files", "conversations.tasks.forget_unsent", 3600.0),
        ("retention", "conversations.tasks.forget_expired", 3600.0),
        ("answers", "conversations.tasks.learn_answers", 600.0),
        ("traces", "conversations.tasks.forget_traces", 3600.0),
        ("spans", "routing.tasks.keep_spans", 60.0),
        ("old spans", "conversations.tasks.forget_spans", 3600.0),
        ("reports", "reporting.tasks.mail_reports", 60.0),
        ("exports", "reporting.tasks.write_exports", 10.0),
        ("old exports", "reporting.tasks.forget_exports", 3600.0),
        ("mail", "messenger.tasks.write_to_visitors", 10.0),
        ("channels", "messenger.tasks.exchange_by_channels", 10.0),
        ("mailboxes", "messenger.tasks.fetch_mailboxes", 30.0),
        ("templates", "messenger.tasks.refresh_templates", 1800.0),
        ("stray mails", "messenger.tasks.forget_stray_mails", 3600.0),
    ]
}
