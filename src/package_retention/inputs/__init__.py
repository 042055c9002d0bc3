"""What the user writes: inputs, flags, and how every problem of them is told at once."""
