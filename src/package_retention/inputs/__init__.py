"""Read everything that comes in: inputs, flags, policy files, earlier reports, files that refer to versions.

This room never makes a request and never guesses: text that does not fit is a problem, and all problems are reported
at once.
"""
