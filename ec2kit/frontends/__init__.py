"""What HA frameworks call: argv and environment in, exit status and log out."""
