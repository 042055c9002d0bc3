"""Decide what goes, what stays and why: pure functions over facts and rules.

This room never reads a clock, the network, the environment or a file: what it needs is an argument. It never selects
what it does not know: an unknown fact keeps the version.
"""
