"""Rehearse a vendor's upgrade package against a copy of your production, then run exactly what was rehearsed."""

__version__ = "0.1.0"
