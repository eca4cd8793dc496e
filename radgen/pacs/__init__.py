"""What we ask of other DICOM systems, always as the client: store, find, move, commit, echo."""
