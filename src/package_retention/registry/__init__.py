"""The container registry: manifests, bearer tokens, the cache of manifests, and the client.

Whoever can push decides what a manifest says. So this room never raises for what it reads, never trusts bytes that do
not have the digest, and never takes a failed read for an absent manifest.
"""
