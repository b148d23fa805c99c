"""Fragments: rows written together as one Zarr group, and the catalog of where each row lies."""
