"""`python -m linnet`: the command line, for where the script is not on the path."""

from .codec.cli import main

if __name__ == "__main__":
    main()
