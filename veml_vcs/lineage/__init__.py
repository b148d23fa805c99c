"""The lifecycle as a graph: commits, versions and facts, and what came from what (design note 029).

``sync`` brings the graph to where Git's history is; ``questions`` are asked of it. Everything in it
is read from Git: it can be dropped at any time.
"""
