"""The command line of veml: parses, calls one function of the library, prints its result."""
