"""The command `radgen`: wiring only. Each subcommand imports what it needs when it runs."""
