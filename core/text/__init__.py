"""Text from outside and text to search: cleaning, strict JSON, folding, languages, emoji."""
