"""
Keeps this server's files: durable files, locks, intentions, notes of this boot; defines no resource.
"""
