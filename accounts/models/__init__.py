"""Models of people, websites and groups."""

from accounts.models.agents import Agent, AgentChannel, Channel, Group, Skill, SkillKind
from accounts.models.changes import Change
from accounts.models.cobrowsing import CobrowsingPermission
from accounts.models.failed_logins import FailedLogin
from accounts.models.hours import Holiday, OpeningHours, Weekday, open_at, schedule_of
from accounts.models.identity import IdentitySecret
from accounts.models.login_rules import LoginRule
from accounts.models.logins import Login
from accounts.models.preferences import Preferences
from accounts.models.single_sign_on import AdmissionRule, ExternalIdentity, IdentityProvider
from accounts.models.tokens import ApiToken, ServiceAccount
from accounts.models.toolbar_apps import ToolbarApp
from accounts.models.users import READ_ONLY_ROLES, Role, User
from accounts.models.websites import Calls, Side, Website

__all__ = [
    "READ_ONLY_ROLES",
    "AdmissionRule",
    "Agent",
    "AgentChannel",
    "ApiToken",
    "Calls",
    "Change",
    "Channel",
    "CobrowsingPermission",
    "ExternalIdentity",
    "FailedLogin",
    "Group",
    "Holiday",
    "IdentityProvider",
    "IdentitySecret",
    "Login",
    "LoginRule",
    "OpeningHours",
    "Preferences",
    "Role",
    "ServiceAccount",
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
