"""The cluster of the action scripts, for tests that are named after what others do wrong."""

from ..actions.conftest import cluster, sandbox

__all__ = ["cluster", "sandbox"]
