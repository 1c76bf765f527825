"""Why a conversation waits, in sentences: the cases, the reasons and what can be done."""
