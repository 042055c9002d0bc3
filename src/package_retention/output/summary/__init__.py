"""The job summary: what happened, what to do and how to undo it, as Markdown and plain text.

It is built from blocks, which the renderers escape. It never says what is not true of its run.
"""
