"""What version control of data costs: veml, git and DVC against ``cp -r`` in one run.

``python -m benchmarks.vcs`` runs the rows of section 11 of the design that exist.
"""
