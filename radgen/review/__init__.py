"""The page where people look: it reads the ledger and the store, and changes nothing."""
