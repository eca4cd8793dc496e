"""Alembic environment of the ledger; one step a file in `versions`."""
