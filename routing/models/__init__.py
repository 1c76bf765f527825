"""Models that decide who is engaged and who takes a conversation."""

from routing.models.bots import Bot, BotDraft, BotKind, BotRun, BotTest, BotVersion
from routing.models.demand import HourlyDemand
from routing.models.presence import DeskConnection, DeskPresence
from routing.models.programs import BotEndpoint, Fault, ProgramRun
from routing.models.repairs import Repair
from routing.models.rules import DistributionRule, Mode, RuleStep
from routing.models.targeting import TargetingCondition, TargetingRule

__all__ = [
    "Bot",
    "BotDraft",
    "BotEndpoint",
    "BotKind",
    "BotRun",
    "BotTest",
    "BotVersion",
    "DeskConnection",
    "DeskPresence",
    "DistributionRule",
    "Fault",
    "HourlyDemand",
    "Mode",
    "ProgramRun",
    "Repair",
    "RuleStep",
    "TargetingCondition",
    "TargetingRule",
]
