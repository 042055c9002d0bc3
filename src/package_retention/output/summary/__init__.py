"""The job summary: what happened, what to do, how to undo it; Markdown and plain text."""
