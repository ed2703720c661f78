"""Asks the other servers, answers them, and agrees with them on one definition."""
