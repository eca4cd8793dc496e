"""Which dataclass each section of the configuration file fills."""

from radgen.cli.site import DatabaseSettings, StoreSettings
from radgen.completeness import CompletenessPolicy
from radgen.dicom.sr_settings import SrSettings
from radgen.drafting.open_engine import EngineSettings
from radgen.pacs.peer import Peer
from radgen.review.settings import ReviewSettings
from radgen.worker.intake import PriorityRules
from radgen.workflow.settings import WorkflowSettings

SECTION_TYPES: dict[str, type] = {
    "store": StoreSettings,
    "database": DatabaseSettings,
    "completeness": CompletenessPolicy,
    "priority": PriorityRules,
    "engine": EngineSettings,
    "workflow": WorkflowSettings,
    "report": SrSettings,
    "pacs": Peer,
    "review": ReviewSettings,
}
