"""Hooks and agents are put into a framework's tree here, and taken out again."""
