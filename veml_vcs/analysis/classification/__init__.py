"""What classifiers get wrong, from what they said and what is true."""
