"""The run itself: find packages, list, decide, carry out; the world comes in through `ports`."""
