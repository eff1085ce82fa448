"""What the trade knows: versions, records of five kinds, the search for a way, the matrix of keys."""

from fulldress.catalog.joining import join, released

__all__ = ["join", "released"]
