"""Detectors as files: an image goes in, boxes come out; all that lies between is in the file."""
