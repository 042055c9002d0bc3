"""Carries out a plan through small protocols: an outcome for each step, whatever happens."""
