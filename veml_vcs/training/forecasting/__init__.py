"""Forecasting values of sensors: windows of a series, its graph, and the networks that learn it."""
