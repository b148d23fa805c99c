"""What a detector gets right and wrong: average precision, confusion, the worst samples."""
