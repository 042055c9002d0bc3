"""GitHub's Packages REST API: the rules of asking and answering (pure), and the client that asks.

Pure: `tokens`, `scopes`, `paging`, `rows`, and the refusals (`asked`, `answers`, `advice`, `refusal_rows`, `refusals`).
"""
