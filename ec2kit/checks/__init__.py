"""Looks, before create and extend and on a standby, for what would make a failover fail; changes nothing."""
