"""Who people are: users and roles, websites, agents and their slots, groups."""
