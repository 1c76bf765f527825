"""The desk in the public API: what agents and supervisors do to conversations, for programs."""
