"""Whatever happens in whatever order, the ledger agrees with a model of a few lines."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from radgen.domain.study import NEXT, VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import Arrival, ArrivalKind

STUDIES = ["1.1", "1.2"]
IMAGES = st.integers(1, 5)
STEPS = [state for state in VersionState if state is not VersionState.RECEIVING]


class LifeCycle(RuleBasedStateMachine):
    """Arrivals of all kinds, completions and moves, also wrong ones and repeated ones."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        url = f"sqlite:///{Path(self.folder.name) / 'ledger.sqlite'}"
        self.ledger = Ledger(url, lambda: self.now)
        self.ledger.migrate()
        self.images = {study: set() for study in STUDIES}
        self.states = {study: [] for study in STUDIES}
        self.frozen = {}

    def teardown(self):
        self.ledger.close()
        self.folder.cleanup()

    @rule(
        study=st.sampled_from(STUDIES),
        numbers=st.lists(IMAGES, min_size=1, max_size=3),
        kind=st.sampled_from(ArrivalKind),
        is_image=st.booleans(),
    )
    def arrive(self, study, numbers, kind, is_image):
        self.now += timedelta(seconds=1)
        # An object that is no image has UIDs of its own.
        prefix = f"{study}.{kind}" if is_image else f"{study}.sr"
        sops = [f"{study}.{n}" if is_image else f"{prefix}.{n}" for n in numbers]
        arrivals = [
            Arrival(
                sop, study, study, "1", "1", "CT", f"{prefix}/{sop}", kind, self.now, "A", 1,
                is_image=is_image,
            )
            for sop in sops
        ]  # fmt: skip
        touched = self.ledger.take_in(arrivals, str(self.now))
        new = set(sops) - self.images[study] if kind is ArrivalKind.STORED and is_image else set()
        assert touched == ({study} if new else set())
        if new:
            self.images[study] |= new
            states = self.states[study]
            if not states or states[-1] is not VersionState.RECEIVING:
                states.append(VersionState.RECEIVING)

    @rule(study=st.sampled_from(STUDIES), version=st.integers(1, 3))
    def complete(self, study, version):
        states = self.states[study]
        possible = version <= len(states) and states[version - 1] is VersionState.RECEIVING
        assert self.ledger.complete(study, version, "quiet", 0) == possible
        if possible:
            states[version - 1] = VersionState.COMPLETE
            self.frozen[study, version] = set(self.images[study])

    @rule(
        study=st.sampled_from(STUDIES),
        version=st.integers(1, 3),
        to_state=st.sampled_from(STEPS),
    )
    def move(self, study, version, to_state):
        sources = [
            s for s in VersionState if to_state in NEXT[s] and s is not VersionState.RECEIVING
        ]
        states = self.states[study]
        possible = version <= len(states) and states[version - 1] in sources
        assert self.ledger.move(study, version, sources, to_state) == possible
        if possible:
            states[version - 1] = to_state

    @invariant()
    def every_version_stands_where_the_model_says(self):
        for study, states in self.states.items():
            detail = self.ledger.study_detail(study)
            if not states:
                assert detail is None
                continue
            assert [row.state for row in reversed(detail.versions)] == states
            assert (detail.study.version, detail.study.state) == (len(states), states[-1])
            assert detail.study.instance_count == len(self.images[study])

    @invariant()
    def a_frozen_list_never_changes(self):
        for (study, version), images in self.frozen.items():
            found = self.ledger.version_instances(study, version)
            assert {row.sop_uid for row in found} == images

    @invariant()
    def counts_agree_with_the_list(self):
        counts = self.ledger.counts_by_state()
        rows = self.ledger.worklist()
        for state in VersionState:
            assert counts[state] == sum(row.study.state is state for row in rows)


TestLifeCycle = LifeCycle.TestCase
TestLifeCycle.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
