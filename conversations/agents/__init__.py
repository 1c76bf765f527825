"""What belongs to agents: drafts, notes, notices, their status log, and what they may hold."""
