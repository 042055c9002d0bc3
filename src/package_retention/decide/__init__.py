"""Pure rules: no network, no clock, no environment; what they need comes in as arguments."""
