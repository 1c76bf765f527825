"""Canned replies: the library, its permissions, search and variables."""
