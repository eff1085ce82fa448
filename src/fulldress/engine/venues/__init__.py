"""Venues of production. The stage is one, too, and lives in :mod:`fulldress.stage`."""
