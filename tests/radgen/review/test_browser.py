"""The page in a real browser: the policy lets our scripts run, and the list moves by itself."""

import shutil
import subprocess
import threading
import time

import pytest
import uvicorn

from radgen.ledger.rows import StudyFacts
from radgen.review.app import create_app
from radgen.review.settings import ReviewSettings

BROWSER = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="chromium is not installed"),
]


@pytest.fixture
def address(ledger, store, clock, take, free_port):
    """The page on loopback; right after the list was served, one more study arrives."""
    app = create_app(ReviewSettings(), ledger, store, clock)

    @app.middleware("http")
    async def arrive_afterwards(request, call_next):
        response = await call_next(request)
        if request.url.path == "/":
            take("1.9", facts=StudyFacts("Second"))
        return response

    config = uvicorn.Config(app, host="127.0.0.1", port=free_port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{free_port}"
    server.should_exit = True
    thread.join()


def browse(url, folder, *flags):
    command = [
        BROWSER,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr",
        *flags,
        "--dump-dom",
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return done.stdout, done.stderr


@pytest.mark.usefixtures("drafted")
def test_a_browser_shows_a_study_and_has_no_complaint(address, tmp_path):
    dom, complaints = browse(f"{address}/studies/1.2.3?lang=zh", tmp_path)
    assert "右侧考虑胸腔积液" in dom
    assert "Content Security Policy" not in complaints
    assert "CONSOLE" not in complaints


def test_the_list_shows_a_new_study_without_a_reload(address, take, tmp_path):
    take("1.8", facts=StudyFacts("First"))
    dom, complaints = browse(f"{address}/?lang=en", tmp_path, "--virtual-time-budget=8000")
    assert "First" in dom
    assert "Second" in dom
    assert "CONSOLE" not in complaints
