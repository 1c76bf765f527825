"""The agents' desk: pages, actions on conversations, and the agent's own state."""
