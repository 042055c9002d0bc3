"""Read everything that comes in: inputs, flags, policy files, earlier reports, files that refer to versions.

`settings` makes the settings of a run of it. This room must never make a request, and never guess: text that does not
fit is a problem, and all problems are reported at once.
"""
