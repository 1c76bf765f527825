"""What the admin changes takes effect at once (R216): each change is published in its own
transaction, and whoever gained a taker or a conversation is drained after the commit."""

from __future__ import annotations

from conversations import bus
from routing.facts import AgentChanged, CapacityAdded, GroupChanged, RuleChanged


def rule_changed(website_id: int) -> None:
    """A distribution rule or its queues were saved."""
    bus.publish(RuleChanged(website_id=website_id))


def group_changed(group_id: int) -> None:
    """A group or its members were saved."""
    bus.publish(GroupChanged(group_id=group_id))


def agent_changed(agent_id: int) -> None:
    """An agent's slots, channels or groups were saved."""
    bus.publish(AgentChanged(agent_id=agent_id))
    bus.publish(CapacityAdded(agent_id=agent_id))
