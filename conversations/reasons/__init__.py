"""Why customers write: the tags of conversations, and their record."""
