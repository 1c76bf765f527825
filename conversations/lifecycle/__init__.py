"""The lifecycle of a conversation: the verbs, their transitions, the ledger and deadlines."""
