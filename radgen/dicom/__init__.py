"""Datasets in, words out, and back: pydicom, no sockets, no knowledge of folders."""
