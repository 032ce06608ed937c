"""`python -m projects.cli` is `hub`."""

from projects.cli import main

main()
