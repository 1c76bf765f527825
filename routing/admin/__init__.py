"""Administration of who takes a conversation: rules, groups and agents, a module for each."""

from routing.admin import distribution, people

__all__ = ["distribution", "people"]
