"""`python -m tests.browser.screenshots`: makes the pictures of the README, csfinterp/guides/images/*.png, anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.looking import CHROMIUM, FLAGS
from tests.making import sample_panel
from tests.serving import serving

FOLDER = Path(__file__).parents[2] / "csfinterp" / "guides" / "images"
# name of the file, sample, width, height, dark
SHOTS = (
    ("panel", "suspected_lm_negative_cytology", 1280, 800, False),
    ("panel_phone", "bacterial", 360, 760, True),
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), 1, ACCESS="open") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name, sample, width, height, dark in SHOTS:
            status, _, answer = server.post(sample_panel(sample))
            assert status == 201, answer
            scheme = "dark" if dark else "light"
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(f"{server.url}/panels/{answer['panel_id']}")
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
