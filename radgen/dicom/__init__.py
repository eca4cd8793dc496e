"""Datasets in, words out, and back: pydicom and highdicom, no sockets, no knowledge of folders."""
