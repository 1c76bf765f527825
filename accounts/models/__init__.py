"""Models of people, websites and groups."""

from accounts.models.agents import Agent, AgentChannel, Channel, Group, Skill, SkillKind
from accounts.models.changes import Change
from accounts.models.hours import Holiday, OpeningHours, Weekday, open_at, schedule_of
from accounts.models.identity import IdentitySecret
from accounts.models.preferences import Preferences
from accounts.models.toolbar_apps import ToolbarApp
from accounts.models.users import Role, User
from accounts.models.websites import Side, Website

__all__ = [
    "Agent",
    "AgentChannel",
    "Change",
    "Channel",
    "Group",
    "Holiday",
    "IdentitySecret",
    "OpeningHours",
    "Preferences",
    "Role",
    "Side",
    "Skill",
    "SkillKind",
    "ToolbarApp",
    "User",
    "Website",
    "Weekday",
    "open_at",
    "schedule_of",
]
