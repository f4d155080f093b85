"""A real Chromium, headless, driven by its own driver."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 60
WIDE = (1180, 900)
NARROW = (390, 844)
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-US"),
)


def lacking() -> str:
    """Which program a browser test lacks here; empty where it can run."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"no {' and no '.join(missing)} on PATH (Debian: chromium, chromium-driver)" if missing else ""


class Page:
    """A page as a person works with it: by what it says and by its controls' ids."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def find(self, selector: str) -> WebElement:
        """The element of a CSS selector, once it can be seen."""
        found = self._wait().until(lambda _: self._seen(selector), f"no {selector}")
        assert found is not None
        return found

    def until(self, text: str, selector: str = "body") -> None:
        """Wait until an element says `text`."""
        self._wait().until(lambda driver: text in driver.find_element(By.CSS_SELECTOR, selector).text, f"no {text!r}")

    def press(self, selector: str) -> None:
        """Press a button or follow a link."""
        self.find(selector).click()

    def type(self, selector: str, text: str) -> None:
        """Write `text` into a field in place of what is in it."""
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def go(self, place: str) -> None:
        """Go to a place within the page."""
        self.driver.get(f"{self.url}/#{place}")

    def resize(self, size: tuple[int, int]) -> None:
        """See the page at a width and a height in CSS pixels."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Have the person prefer a `light` or a `dark` page."""
        features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)

    def picture(self, path: Path) -> None:
        """Take a picture of what is seen."""
        assert self.driver.save_screenshot(str(path))

    def complaints(self) -> list[str]:
        """What the browser found wrong: errors of scripts, and what the page's own policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def _seen(self, selector: str) -> WebElement | None:
        return next((one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()), None)

    def _wait(self) -> WebDriverWait[Chrome]:
        """Waits for what a page that draws itself anew comes to show."""
        return WebDriverWait(self.driver, PATIENCE, 0.1, (StaleElementReferenceException, NoSuchElementException))


@contextmanager
def page_at(url: str, profile: Path) -> Iterator[Page]:
    """A browser that knows of nothing yet, at a console's page."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(executable_path=shutil.which("chromedriver")))
    try:
        page = Page(driver, url)
        page.resize(WIDE)
        driver.get(url)
        yield page
    finally:
        driver.quit()
