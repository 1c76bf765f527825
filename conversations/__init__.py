"""Conversations: models, lifecycle, messages, visitors, suggestions, surveys, privacy."""
