"""The container registry: media types and manifests (no I/O), waits, challenges, and the client over requests."""
