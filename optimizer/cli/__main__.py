"""`python -m optimizer.cli` is the command, too."""

from optimizer.cli import main

main()
