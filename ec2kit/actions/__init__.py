"""Does what the kit is for: one module an action, and one table of their options, outcomes and exit statuses."""
