"""Builds the documents of one draft in a process of its own and prints their digests."""

import hashlib
import sys
from pathlib import Path

from radgen.dicom.sr_settings import SrSettings
from radgen.domain.report import DraftReport
from radgen.pipeline.returning import build_documents
from radgen.records import from_json

report = from_json(DraftReport, Path(sys.argv[1]).read_text("utf-8"))
documents = build_documents(report, [Path(sys.argv[2])], SrSettings("2.25.7", picture_copy=True))
sys.stdout.write("\n".join(hashlib.sha256(each.data).hexdigest() for each in documents))
