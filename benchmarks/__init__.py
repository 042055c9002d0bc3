"""Measures the action as its users meet it: a process, real HTTP, limits enforced."""
