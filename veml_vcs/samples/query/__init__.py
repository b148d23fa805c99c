"""Which samples and objects are meant: conditions, and the language they can be written in."""

from veml_vcs.samples.query.expression import Expression, parse
from veml_vcs.samples.query.scope import ObjectScope, SampleScope, SizeOf
from veml_vcs.samples.query.select import Conditions, Selector

__all__ = [
    "Conditions",
    "Expression",
    "ObjectScope",
    "SampleScope",
    "Selector",
    "SizeOf",
    "parse",
]
