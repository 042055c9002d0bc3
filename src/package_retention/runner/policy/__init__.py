"""The policy file: YAML with positions, and the rules that it says."""
