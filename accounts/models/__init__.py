"""The records of people, websites and groups."""

from accounts.models.agents import Agent, AgentChannel, Channel, Group
from accounts.models.changes import Change
from accounts.models.users import Role, User
from accounts.models.websites import Website

__all__ = ["Agent", "AgentChannel", "Change", "Channel", "Group", "Role", "User", "Website"]
