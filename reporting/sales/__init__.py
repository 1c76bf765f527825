"""Sales: purchases reported by shops, refunds, and their attribution to agents and
conversations."""
