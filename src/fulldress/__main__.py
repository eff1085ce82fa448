"""``python -m fulldress``."""

from fulldress.cli import main

if __name__ == "__main__":
    main()
