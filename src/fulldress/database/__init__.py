"""Servers of the rehearsal's own, clones, traces and proofs. Production's databases are read from, never written to."""
