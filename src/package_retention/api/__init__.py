"""GitHub's Packages REST API: the client, and the rules of its requests and responses.

The rules (`refusals`, `tokens`, `budgets`, `resources`) are pure functions of status, headers and body. This package never
decides what is deleted, never sends the token to another host, never returns part of a list as the whole, and never takes
a 404 for proof that something is gone.
"""
