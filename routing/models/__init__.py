"""The records that decide who is engaged and who takes a conversation."""

from routing.models.presence import DeskConnection, DeskPresence
from routing.models.rules import DistributionRule, Mode, RuleStep

__all__ = ["DeskConnection", "DeskPresence", "DistributionRule", "Mode", "RuleStep"]
