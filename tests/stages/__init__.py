"""Writes of real processes whose way to EC2 is slow, and which are stopped on the way; none arrives too late."""
