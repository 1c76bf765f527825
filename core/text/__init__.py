"""Text: cleaning, strict JSON, search, languages, emoji."""
