"""The networks and their packs: arrays and token ids, never a patient."""
