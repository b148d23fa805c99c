"""What a data set is: entries in a tree, contents and annotations in fragments, formats."""
