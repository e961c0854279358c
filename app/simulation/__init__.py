"""A made-up year of families and sessions, played through the real services.

The world (world.py) is pure and grows from one seed; playing.py lives its days on a throw-away
database; arms.py holds the two ways of serving the same families that are compared.
What is assumed of families, and why, is in docs/indicators.md.
"""
