"""Canned replies: what variables become, which one is meant, who may use and keep them."""
