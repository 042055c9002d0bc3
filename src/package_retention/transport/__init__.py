"""What the clients of the API and the registry share: one request, when to try it again, links, redaction.

This room knows no package and no rule. It never follows a redirect by itself, which would take the token along.
"""
