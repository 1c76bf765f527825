"""The visitors' face: the embed script, the Messenger, and their entry points."""
