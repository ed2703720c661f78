"""
Knows this machine: its identity by IMDS, devices, routing, commands, ping; asks neither EC2 nor another server.
"""
