"""Three-way merges: of trees, data sets, entries, boxes, text; what waits for the user."""
