"""`python -m recordroute_cli` is `recordroute`."""

from recordroute_cli.main import main

main()
