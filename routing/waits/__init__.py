"""Why a conversation waits, in sentences: the cases, the reasons and the remedies."""
