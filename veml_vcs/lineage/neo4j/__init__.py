"""The mirror of the lineage graph in Neo4j, and the questions asked of it (design note 030).

``place`` says where a repository is mirrored and imports no driver; all else is imported only where
there is such a place.
"""
