"""The report file: written line by line as the run goes, and read back."""
