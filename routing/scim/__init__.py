"""SCIM 2.0: an outside directory creates, changes and deactivates users, and sets the members of
groups (RFC 7643, RFC 7644)."""
