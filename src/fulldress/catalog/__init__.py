"""What the trade knows: versions, records of five kinds, the search for a way, the matrix of keys."""
