"""Translates for those who call: LifeKeeper, Pacemaker, keepalived, Patroni: argv in, log and exit status out."""
