"""What the clients of the API and the registry share: one request, when it is tried again, and links."""
