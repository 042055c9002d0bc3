"""Say everything that goes out: log, annotations, outputs, report and job summary.

The one room with words for reasons, problems and findings. It never changes a fact, and never prints text from outside
unescaped.
"""
