"""Random worlds, random settings, changes by others, faults and signals; judged by an oracle of its own.

The oracle is written from the documentation and reads the manifests' bytes itself: it imports nothing of the
action but its entry. `make soak WORLDS=2000 SEED=1` runs it.
"""
