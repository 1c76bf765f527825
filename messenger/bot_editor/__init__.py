"""The editor of scenarios in the administration, with a live chat in the real Messenger (B22)."""
