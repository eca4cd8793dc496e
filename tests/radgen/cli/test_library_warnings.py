"""What libraries say of a header does not reach the log of a process."""

import subprocess
import sys

PROGRAM = """
from radgen.cli.logs import log_as_json
log_as_json()
from pydicom.dataset import Dataset
ds = Dataset()
ds.PatientBirthDate = "1956-secret"
print(ds.PatientBirthDate)
"""


def test_a_warning_of_pydicom_does_not_quote_a_birth_date():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    )
    assert "1956-secret" in done.stdout
    assert done.stderr == ""
