"""python -m csfinterp: the command line."""

from csfinterp.cli import main

if __name__ == "__main__":
    main()
