"""What the listener takes: every Storage SOP class, in every encoding the engine can read."""

from pynetdicom import AllStoragePresentationContexts

VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"

# These still come out of archives filled in the nineties.
_RETIRED = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.3",  # Ultrasound Multi-frame
        "1.2.840.10008.5.1.4.1.1.5",  # Nuclear Medicine
        "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound
        "1.2.840.10008.5.1.4.1.1.12.3",  # X-Ray Angiographic Bi-Plane
    }
)
STORAGE_CLASSES = _RETIRED | frozenset(
    str(context.abstract_syntax) for context in AllStoragePresentationContexts
)

UNCOMPRESSED = frozenset(
    {
        "1.2.840.10008.1.2",  # implicit VR little endian
        "1.2.840.10008.1.2.1",  # explicit VR little endian
        "1.2.840.10008.1.2.2",  # explicit VR big endian, retired
    }
)
# Deflated (1.2.840.10008.1.2.1.99) is left out: a small file may inflate without bound.
STORAGE_SYNTAXES = UNCOMPRESSED | frozenset(
    {
        "1.2.840.10008.1.2.4.50",  # JPEG baseline
        "1.2.840.10008.1.2.4.51",  # JPEG extended
        "1.2.840.10008.1.2.4.57",  # JPEG lossless
        "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
        "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
        "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
        "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
        "1.2.840.10008.1.2.4.91",  # JPEG 2000
        "1.2.840.10008.1.2.4.201",  # HTJ2K lossless
        "1.2.840.10008.1.2.4.202",  # HTJ2K lossless RPCL
        "1.2.840.10008.1.2.4.203",  # HTJ2K
        "1.2.840.10008.1.2.5",  # RLE
    }
)
