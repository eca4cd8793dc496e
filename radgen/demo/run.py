"""The demonstration: real studies through a real archive, and the drafts read back from it.

Everything a hospital would run runs here, as the same processes, on the loopback interface.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from radgen.demo.archive import DemoArchive, demo_archive
from radgen.demo.check import ReadBack, as_html, read_back
from radgen.demo.orthanc import ArchiveSettings
from radgen.demo.phantom import PhantomStudy, phantom_studies
from radgen.demo.plan import DemoPlan, write_config
from radgen.demo.real_studies import real_studies
from radgen.demo.table import study_table
from radgen.domain.errors import PeerUnreachableError, StoreError
from radgen.domain.report import DraftReport
from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import StudyDetail
from radgen.pacs.echo import echo
from radgen.pacs.peer import Peer
from radgen.serve import Role, Supervisor

ENDED = (VersionState.CONFIRMED, VersionState.FAILED)
START_S = 60.0
HOPELESS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """One study at the end. detail: None if it never arrived."""

    study: PhantomStudy
    detail: StudyDetail | None
    back: ReadBack | None

    @property
    def is_good(self) -> bool:
        """True if its draft was confirmed, read back and found valid."""
        return self.back is not None and not self.back.faults


WriteFiles = Callable[[Path, DraftReport, Sequence[bytes], Sequence[Path]], object]
"""Folder, draft, its SRs, the files of the study -> the draft as files for people."""


class Demo:
    """One run. roles: makes the processes' command lines from the configuration file."""

    def __init__(
        self,
        plan: DemoPlan,
        roles: Callable[[Path], list[Role]],
        write_files: WriteFiles,
        console: Console,
    ) -> None:
        self._plan = plan
        self._roles = roles
        self._write_files = write_files
        self._console = console
        self._supervisor: Supervisor | None = None

    @contextmanager
    def running(self) -> Iterator[DemoArchive]:
        """Archive, listener, engine and page, all ready; all gone at the end."""
        shutil.rmtree(self._plan.folder, ignore_errors=True)
        for folder in (self._plan.logs, self._plan.results):
            folder.mkdir(parents=True)
        settings = ArchiveSettings(
            self._plan.folder / "archive",
            self._plan.dicom_port,
            self._plan.http_port,
            listener_port=self._plan.listener_port,
            stable_age_s=1,
        )
        with ExitStack() as stack:
            archive = stack.enter_context(demo_archive(settings, self._say))
            self._say(f"archive: {archive.kind}, DICOM port {settings.dicom_port}")
            write_config(self._plan, archive.peer())
            Ledger(self._plan.database_url).migrate()
            self._supervisor = Supervisor(self._roles(self._plan.config))
            stack.callback(self._supervisor.stop)
            self._supervisor.start()
            self._wait_for_listener()
            self._say(f"worklist: http://127.0.0.1:{self._plan.review_port}/")
            yield archive

    def carry(
        self, archive: DemoArchive, studies: Sequence[PhantomStudy], wait_s: float
    ) -> list[Outcome]:
        """Pushes `studies` into the archive, waits for their drafts, reads them back."""
        ledger = Ledger(self._plan.database_url)
        with _progress(self._console) as progress:
            self._push(archive, studies, progress)
            self._say(f"{len(studies)} studies are in the archive, which routes them now")
            self._wait_for_drafts(ledger, studies, wait_s, progress)
            self._say("drafts are back; reading every one back from the archive")
            outcomes = self._read_back(ledger, archive, studies, progress)
        ledger.close()
        return outcomes

    def show(self, outcomes: Sequence[Outcome]) -> None:
        """Prints the table and where the files are."""
        self._console.print(study_table(outcomes))
        for outcome in outcomes:
            for fault in outcome.back.faults if outcome.back else ("no draft came back",):
                self._console.print(f"[red]{outcome.study.name}: {fault}")
        good = sum(outcome.is_good for outcome in outcomes)
        self._say(f"{good} of {len(outcomes)} studies: draft read back from the archive and valid")
        self._say(f"drafts as HTML and pictures: {self._plan.results}")
        self._say(f"worklist: http://127.0.0.1:{self._plan.review_port}/")

    def _say(self, text: str) -> None:
        self._console.print(f"[bold]radgen[/bold] {text}")

    def _wait_for_listener(self) -> None:
        peer = Peer("listener", "RADGEN", "127.0.0.1", self._plan.listener_port, our_aet="DEMO")
        give_up = time.monotonic() + START_S
        while time.monotonic() < give_up:
            try:
                self._say(f"listener answered C-ECHO in {echo(peer):.0f} ms")
            except PeerUnreachableError:
                time.sleep(0.1)
            else:
                return
        raise PeerUnreachableError(f"the listener did not start; see {self._plan.logs}")

    @staticmethod
    def _push(archive: DemoArchive, studies: Sequence[PhantomStudy], progress: Progress) -> None:
        total = sum(len(study.datasets) for study in studies)
        task = progress.add_task("images into the archive", total=total)
        for study in studies:
            for content in study.files():
                archive.upload(content)
                progress.advance(task)

    def _wait_for_drafts(
        self, ledger: Ledger, studies: Sequence[PhantomStudy], wait_s: float, progress: Progress
    ) -> None:
        task = progress.add_task("drafts back in the archive", total=len(studies))
        give_up = time.monotonic() + wait_s
        done = 0
        while done < len(studies) and time.monotonic() < give_up:
            counts = ledger.counts_by_state()
            done = sum(counts[state] for state in ENDED)
            progress.update(task, completed=done)
            self._check_processes()
            time.sleep(0.3)

    def _check_processes(self) -> None:
        """Raises: StoreError naming the log of a process that cannot stay alive."""
        if self._supervisor is None:
            return
        for name in self._supervisor.names:
            if self._supervisor.restarts(name) >= HOPELESS:
                raise StoreError(f"{name} ends again and again; see {self._plan.logs}/{name}.log")

    def _read_back(
        self,
        ledger: Ledger,
        archive: DemoArchive,
        studies: Sequence[PhantomStudy],
        progress: Progress,
    ) -> list[Outcome]:
        task = progress.add_task("drafts read back and validated", total=len(studies))
        outcomes = []
        for study in studies:
            detail = ledger.study_detail(study.study_uid)
            back = read_back(detail.drafts[0], archive.fetch) if detail and detail.drafts else None
            if detail is not None and back is not None and back.report is not None:
                self._write(study.name, detail, back)
            outcomes.append(Outcome(study, detail, back))
            progress.advance(task)
        return outcomes

    def _write(self, name: str, detail: StudyDetail, back: ReadBack) -> None:
        """One folder a study: SRs, finding structure, HTML, picture with the evidence."""
        folder = self._plan.results / name
        store = self._plan.folder / "store"
        paths = [store / row.path for row in detail.instances if row.is_image]
        if back.report is not None:
            self._write_files(folder, back.report, [data for _, data in back.files], paths)
        if back.files and (html := as_html(back.files[0][1])):
            (folder / "dsr2html.html").write_text(html, encoding="utf-8")


def choose_studies(data: Path | None) -> Sequence[PhantomStudy]:
    """Real studies where their folder is there, else generated ones."""
    if data is not None and data.is_dir():
        return real_studies(data)
    return phantom_studies()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
