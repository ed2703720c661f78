"""Patroni runs the programs here: its callbacks move an address to the leader, and a check follows the leader."""
