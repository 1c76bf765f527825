"""Models that decide who is engaged and who takes a conversation."""

from routing.models.bots import Bot
from routing.models.demand import HourlyDemand
from routing.models.presence import DeskConnection, DeskPresence
from routing.models.repairs import Repair
from routing.models.rules import DistributionRule, Mode, RuleStep
from routing.models.targeting import TargetingCondition, TargetingRule

__all__ = [
    "Bot",
    "DeskConnection",
    "DeskPresence",
    "DistributionRule",
    "HourlyDemand",
    "Mode",
    "Repair",
    "RuleStep",
    "TargetingCondition",
    "TargetingRule",
]
