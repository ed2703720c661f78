"""LifeKeeper's part is here: its commands, its database as a registry, its hooks and scripts."""
