"""Accounts: users and roles, websites, agents and their slots, groups."""
