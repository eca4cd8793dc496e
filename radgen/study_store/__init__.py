"""Received files on disk and the journal that tells of them: listener writes, engine reads."""
