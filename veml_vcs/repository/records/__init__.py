"""What a repository does with the named records of every kind: models, trainings, inferences.

A kind says what its record is (``versions/kinds``), and has a room of its own for what only it has
(``repository/models``, ``trainings``, ``inferences``).
"""
