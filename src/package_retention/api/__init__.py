"""GitHub's Packages REST API: the rules of asking and answering (pure), and the client that asks.

Pure: `tokens`, `scopes`, `paging`, `rows`; and what a refusal means: `refusals` over the rows of `token_refusals`,
`object_refusals` and `service_refusals`, with `asked`, `answers` and `advice`.
"""
