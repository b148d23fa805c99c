"""Sensor series with a graph: values by time, sensor and feature, and who is next to whom.

Which files make a series is told by their names, without numpy, in ``samples.formats.series``.
"""

from veml_vcs.samples.series.adjacency import Adjacency, read_adjacency
from veml_vcs.samples.series.diff import EdgeChange, SeriesDiff, diff_series
from veml_vcs.samples.series.read import Series, read_series
from veml_vcs.samples.series.summary import SeriesSummary, summarise_series
from veml_vcs.samples.series.values import Values, read_values

__all__ = [
    "Adjacency",
    "EdgeChange",
    "Series",
    "SeriesDiff",
    "SeriesSummary",
    "Values",
    "diff_series",
    "read_adjacency",
    "read_series",
    "read_values",
    "summarise_series",
]
