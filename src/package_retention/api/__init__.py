"""GitHub's Packages REST API: the client, and the rules of its requests and responses.

The rules (`refusals`, `tokens`, `budgets`, `rows`) are pure functions of status, headers and body. This room never decides
what is deleted, never sends the token to another host, and never returns a part of a list as the whole.
"""
