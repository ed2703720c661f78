"""Knows the kinds of address: all that differs between them, behind one protocol; no other room names a kind."""
