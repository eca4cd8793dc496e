"""The engine's process: takes the journal in, finds complete studies, drives their drafts."""
