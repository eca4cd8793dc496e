"""What a site says of the engine that writes into its archive."""

from dataclasses import dataclass

from radgen.domain.report import Language


@dataclass(frozen=True, slots=True)
class SrSettings:
    """Equipment, language and character set of every document we write.

    device_uid: identifies this installation (0018,1002); required, there is no sensible default.
    charset: "ISO_IR 192", or "GB18030" for a peer that asks for it.
    languages: the first is the report, the others are copies that name it.
    timezone: offset from UTC (0008,0201) where the source header has none.
    producer_code: organisation code of the AIGC label.
    picture_copy: also send the text as a picture, for viewers that hide the text of an SR.
    """

    device_uid: str
    institution: str = ""
    manufacturer: str = "RadGen"
    model_name: str = "RadGen"
    device_serial: str = "1"
    station: str = "RADGEN"
    software_version: str = "0.1.0"
    charset: str = "ISO_IR 192"
    languages: tuple[Language, ...] = (Language.ZH, Language.EN)
    timezone: str = "+0800"
    producer_code: str = ""
    picture_copy: bool = False


CHARSETS = ("ISO_IR 192", "GB18030")
