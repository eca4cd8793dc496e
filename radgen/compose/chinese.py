"""Chinese, as a radiologist writes it: place first, certainty word, finding, value."""

from collections.abc import Sequence

from radgen.domain.finding import Certainty, Finding, FindingStructure, Measurement, Side
from radgen.knowledge import findings, procedures, quantities, reasons

SIDE = {Side.RIGHT: "右", Side.LEFT: "左", Side.BILATERAL: "双"}
_NONE_SEEN = "未见"


class Chinese:
    """See `Wording`."""

    def technique(self, structure: FindingStructure) -> str:
        """For example: 计算机体层成像（CT），胸部；读取图像 300 幅."""
        row, part = (
            procedures.procedure(structure.modality),
            procedures.body_part(structure.body_part),
        )
        name = row.zh if row else structure.modality
        place = part.zh if part else structure.body_part
        what = "，".join(word for word in (name, place) if word) or "未知检查"
        return f"{what}；读取图像 {len(structure.images)} 幅。"

    def reader(self, structure: FindingStructure) -> str:
        """For example: 分析模型：名称 版本."""
        pack = structure.pack
        return f"分析模型：{pack.name} {pack.version}。" if pack else "分析模型：无。"

    def present(self, finding: Finding) -> str:
        """For example: 右侧考虑胸腔积液，大小 34.0 mm."""
        row, where = findings.entry(finding.finding), _where(finding)
        statement = {
            Certainty.CONSISTENT_WITH: f"{where}影像表现符合{row.zh}",
            Certainty.PROBABLE: f"{where}考虑{row.zh}",
            Certainty.POSSIBLE: f"{where}可能存在{row.zh}",
            Certainty.NOT_EXCLUDED: f"{where}{row.zh}不除外",
            None: f"{where}可见{row.zh}",
        }[finding.certainty]
        return "，".join([statement, *_values(finding)]) + "。"

    def absent(self, findings_: Sequence[Finding]) -> str:
        """For example: 未见胸腔积液、气胸；心影未见增大."""
        clauses = dict.fromkeys(findings.entry(each.finding).absent_zh for each in findings_)
        listed = [each.removeprefix(_NONE_SEEN) for each in clauses if each.startswith(_NONE_SEEN)]
        whole = [each for each in clauses if not each.startswith(_NONE_SEEN)]
        return "；".join([*whole, *([_NONE_SEEN + "、".join(listed)] if listed else [])]) + "。"

    def absent_there(self, finding: Finding) -> str:
        """For example: 右侧未见气胸."""
        values = "".join(f"，{each}" for each in _values(finding))
        return f"{_where(finding)}{findings.entry(finding.finding).absent_zh}{values}。"

    def not_assessed(self, findings_: Sequence[Finding], reason: str | None) -> str:
        """For example: 未评估：右侧气胸、骨折（无适用的模型）."""
        names = "、".join(_where(each) + findings.entry(each.finding).zh for each in findings_)
        why = f"（{reasons.entry(reason).zh}）" if reason else ""
        return f"未评估：{names}{why}。"

    def measured(self, measurement: Measurement) -> str:
        """For example: 全肺容积 4123 ml."""
        return f"{_measured(measurement)}。"

    def refused(self, reason: str, details: str) -> str:
        """For example: 未评估：图像不是正位胸片."""
        return f"未评估：{reasons.entry(reason).zh}{_details(details)}。"

    def caution(self, reason: str, details: str) -> str:
        """For example: 注意：患者年龄未知."""
        return f"注意：{reasons.entry(reason).zh}{_details(details)}。"

    def incomplete(self, missing: int | None) -> str:
        """For example: 注意：检查图像未全部收到，缺少 17 幅."""
        count = "缺少数量未知" if missing is None else f"缺少 {missing} 幅"
        return f"注意：{reasons.entry('incomplete-study').zh}，{count}。"

    def nothing_found(self) -> str:
        """Says no more than that the assessed findings are absent."""
        return "已评估项目中未见阳性征象。"

    def nothing_assessed(self) -> str:
        """All findings are listed as not assessed in the findings section."""
        return "未评估：全部项目。"


def _where(finding: Finding) -> str:
    side = SIDE[finding.side] if finding.side else ""
    if finding.site:
        return findings.site(finding.site).zh.format(side=side)
    return side + findings.entry(finding.finding).place if side else ""


def _values(finding: Finding) -> list[str]:
    size = finding.size_mm
    sizes = [] if size is None else [f"大小 {quantities.number(size, 1)} mm"]
    return [*sizes, *(_measured(each) for each in finding.measurements)]


def _measured(measurement: Measurement) -> str:
    row = quantities.entry(measurement.quantity)
    side = f"{SIDE[measurement.side]}侧" if measurement.side and not row.side else ""
    return f"{side}{row.zh} {quantities.value_and_unit(measurement)}"


def _details(details: str) -> str:
    return f"（{details}）" if details else ""
