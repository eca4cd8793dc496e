"""Every error we raise, as a tree; the caller acts on the branch, never on the text.

RadgenError
├── StudyError              give up on this study version; the reason goes into the ledger
│   ├── UnreadableInstanceError     an instance cannot be parsed or its pixels decoded
│   ├── UnsupportedStudyError       nothing we have a pack for
│   ├── UnfaithfulTextError         a text that does not say what its structure says
│   └── GeometryError               a volume with a named fault
│       └── StackFaultError         the same with the fault as a value (radgen.dicom.read_geometry)
├── PeerError               try again later
│   ├── PeerUnreachableError        no association, no answer in time
│   ├── PeerRefusedError            the peer answered, and said no
│   └── InferenceUnavailableError   the inference server did not answer in time
├── PackError               a model pack is missing, damaged or not what its contract says
│   └── UnknownTermError            a finding structure uses a word the knowledge does not have
├── DocumentError           an SR is not ours, does not agree with itself, or cannot be built
├── ReportTextError         a report text is too long to be read
├── ConfigurationError      the configuration names something we do not know
└── StoreError              our own disk or database refused
"""


class RadgenError(Exception):
    """Root of every error raised on purpose."""


class StudyError(RadgenError):
    """This study version cannot be drafted, and trying again will not help."""


class UnreadableInstanceError(StudyError):
    """An instance cannot be parsed, or its pixels cannot be decoded."""


class UnsupportedStudyError(StudyError):
    """No pack reads this kind of study."""


class GeometryError(StudyError):
    """The slices do not make a volume; the message names the fault."""


class UnfaithfulTextError(StudyError):
    """A draft's text, read back, does not say what its finding structure says."""


class PeerError(RadgenError):
    """A peer failed; the same call may succeed later."""


class PeerUnreachableError(PeerError):
    """The peer did not accept an association or did not answer in time."""


class PeerRefusedError(PeerError):
    """The peer answered with a failure status."""


class InferenceUnavailableError(PeerError):
    """The inference server did not answer in time, or died while answering."""


class PackError(RadgenError):
    """A model pack is missing, damaged, or not what its contract says."""


class UnknownTermError(PackError):
    """A finding structure uses a word the knowledge does not have."""


class DocumentError(RadgenError):
    """A structured report is not ours, does not agree with itself, or cannot be built."""


class ReportTextError(RadgenError):
    """A report text is too long to be read."""


class ConfigurationError(RadgenError):
    """The configuration names something we do not know, or lacks something we need."""


class StoreError(RadgenError):
    """Our own disk or database refused."""
