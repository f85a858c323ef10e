"""`python -m miscope`: the command line of this very Python, where `miscope` is not on the path."""

from miscope.cli import main

if __name__ == "__main__":
    main()
