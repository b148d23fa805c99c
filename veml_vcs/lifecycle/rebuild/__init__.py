"""``veml rebuild``: a lifecycle is made anew for data that has moved on (paper, V.C and V.D).

``settle`` decides everything and writes nothing; ``state`` keeps what was decided; ``carry`` does
it, step by step, each of which is known to be done or not, so that a rebuild that was killed goes
on. Design note 027 tells why it is as it is.
"""
