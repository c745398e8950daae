"""A real browser, where there is one, and what the preview page shows in it."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-fake-device-for-media-stream"
)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with (
        sync_api.sync_playwright() as play,
        play.chromium.launch(executable_path=chromium, args=FLAGS.split()) as browser,
    ):
        yield browser


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A narrow one. Its script must not fail, nor the page break its own policy."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []


def reads(page: "Page", **texts: str) -> None:
    """Waits until the elements of these ids show these texts."""
    from playwright.sync_api import expect

    for name, text in texts.items():
        expect(page.locator("#" + name.replace("_", "-"))).to_have_text(text, timeout=20_000)


def shows(page: "Page", colour: tuple[int, int, int]) -> None:
    """Waits until the picture is there in this colour, with nothing before it."""
    page.wait_for_function(SHOWS, arg=list(colour))
    reads(page, state="Live")
    page.locator("#notice").wait_for(state="hidden")


SHOWS = """colour => {
    const image = document.getElementById("picture");
    if (!image.naturalWidth) return false;
    const canvas = new OffscreenCanvas(8, 8).getContext("2d");
    canvas.drawImage(image, 0, 0, 8, 8);
    const seen = canvas.getImageData(4, 4, 1, 1).data;
    return colour.every((value, i) => Math.abs(value - seen[i]) < 6);
}"""
