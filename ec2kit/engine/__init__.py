"""Gives actions what they share: the context of one action, and the loop that looks, plans, changes, looks again."""
