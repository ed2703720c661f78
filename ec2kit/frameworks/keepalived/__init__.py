"""Keepalived runs the programs here: they follow its notifications, and keep an address on its MASTER."""
