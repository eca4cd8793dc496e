from dataclasses import replace

import pytest

from radgen.domain.finding import Measurement
from radgen.review.views import study_line


@pytest.mark.usefixtures("drafted")
def test_a_line_tells_what_was_measured_in_the_language_of_the_page(ledger, clock, report):
    values = (Measurement("lung-volume-total", 4123.4, "ml", "lung mask"),)
    structure = replace(report.structure, measurements=values)
    row = ledger.worklist()[0]
    assert study_line(row, clock.now, "zh", structure).measured == ("全肺容积 4123 ml",)
    assert study_line(row, clock.now, "en", structure).measured == ("total lung volume 4123 ml",)
    assert study_line(row, clock.now, "en").measured == ()
