"""The cluster of the action scripts, for tests that are named after what others do wrong."""

from ..actions.conftest import cluster

__all__ = ["cluster"]
