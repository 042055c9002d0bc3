"""What the clients of the API and the registry share: one request, when to try it again, limits, links, redaction.

This package knows neither packages nor rules. It never follows a redirect, which would take the token along, and never
puts a library's own error into a message, which may hold the token.
"""
