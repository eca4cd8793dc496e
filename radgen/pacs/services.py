"""UIDs of the services we use as client (PS3.6 table A-1)."""

from pydicom.uid import UID

VERIFICATION = UID("1.2.840.10008.1.1")
STUDY_ROOT_FIND = UID("1.2.840.10008.5.1.4.1.2.2.1")
STUDY_ROOT_MOVE = UID("1.2.840.10008.5.1.4.1.2.2.2")
STORAGE_COMMITMENT_PUSH = UID("1.2.840.10008.1.20.1")
# The well-known instance of the commitment service, PS3.4 J.3.5.
STORAGE_COMMITMENT_PUSH_INSTANCE = UID("1.2.840.10008.1.20.1.1")
