"""What one data version of very many small samples costs: time, and above all memory.

``python -m benchmarks.million`` makes a million files and takes veml through one history of them.
"""
