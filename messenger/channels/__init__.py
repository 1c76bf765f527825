"""Channels outside the Messenger: a connector for each, and what all of them share."""
