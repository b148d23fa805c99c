"""Git underneath: objects, refs, index and locks, written through veml's one door to the disk."""
