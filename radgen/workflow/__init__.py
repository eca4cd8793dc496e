"""Durable steps: DBOS drives, the ledger is the truth."""
