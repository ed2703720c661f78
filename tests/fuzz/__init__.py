"""
Input as it should not be, made up by Hypothesis: never a traceback, never a hang, never a wrong verdict.

`HYPOTHESIS_PROFILE=long make test ARGS='tests/fuzz --timeout 7200'` tries fifty times as much.
"""
