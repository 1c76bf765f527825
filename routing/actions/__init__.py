"""What agents, supervisors, programs and the system do to a conversation."""
