"""The builder: how a website's Messenger looks and what it says, seen before it is saved (R5)."""
