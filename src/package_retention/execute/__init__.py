"""Carry out one plan: the first change alone, a root before its children, an outcome for each step.

This room never adds a step and never decides what is selected. It can leave a step of the plan out, with a reason.
"""
