"""What a conversation is: records, lifecycle, ledger, contacts, messages, surveys, outbox."""
