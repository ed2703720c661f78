"""
Input as it should not be, made up by Hypothesis: never a traceback, never a hang, never a wrong verdict.

`make test ARGS='tests/fuzz --hypothesis-profile=thorough --timeout 7200'` tries fifty times as much.
"""
