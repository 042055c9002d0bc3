"""GitHub's Packages REST API: the rules of requests and responses (pure), and the client that sends and reads them.

The rules are functions of status, headers and body. Nothing here decides what is deleted.
"""
