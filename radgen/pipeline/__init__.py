"""The steps of one study version as plain functions; `radgen.workflow` makes them durable."""
