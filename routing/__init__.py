"""Distribution of conversations: rules, engagement, presence, dispatch, expiry."""
