"""Pacemaker's part is here: its OCF agents, their meta-data and parameters, its commands."""
