"""Forecasters as files: values of sensors go in, those that follow come out."""
