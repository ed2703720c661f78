"""
Holds what the kit says: the catalogue, its Japanese, the log, the masking of secrets; decides nothing.
"""
