"""The DICOM listener: C-ECHO and C-STORE into a durable store, a process of its own."""
