"""What is said while a run goes: workflow commands, groups, progress, annotations."""
