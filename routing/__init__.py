"""Who takes a conversation: rules, engagement, presence, dispatch, expiry."""
