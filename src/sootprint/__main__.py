"""`python -m sootprint`: the command line, where the script is not on the path."""

from sootprint.cli import main

main()
