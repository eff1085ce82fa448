from .core import run
__all__ = ["run", "VERSION"]
VERSION = "1"
