"""The console's page in a real Chromium, with a whole house behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import NARROW, Page, lacking, page_at
from tests.integration.consoles import console_of, console_token
from tests.integration.house import House, running_house, tracking_numbers

IMAGES = Path(__file__).parents[2] / "docs" / "images"

pytestmark = pytest.mark.skipif(bool(lacking()), reason=lacking() or "there is one")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def page(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that somebody has logged in to."""
    with page_at(house.status["console_url"], tmp_path_factory.mktemp("chromium")) as page:
        page.type("#token", "not the token")
        page.type("#person", "Ada")
        page.press("form button")
        page.until("E-5021")
        page.type("#token", console_token(house))
        page.press("form button")
        page.until("No jobs yet")
        page.complaints()  # the refusals were meant to be
        yield page


def test_a_job_is_previewed_submitted_approved_and_watched_to_its_end(house: House, page: Page) -> None:
    orders = house.orders("orders.csv", 5)
    page.press("a[href='#/new']")
    page.type("#source", "orders.csv")
    page.press("#preview")
    page.until("5 rows for about $")
    page.press("#submit")
    page.until("awaiting approval")
    total = page.find("#approve").text.removeprefix("Approve ")
    assert total.startswith("$")
    page.press("#approve")
    page.until(f"Ship 5 rows for about {total}?", "dialog")
    page.press("#yes")
    page.until("completed", ".badge")
    page.until("5 of 5", ".facts")
    for number in tracking_numbers(orders):
        page.until(number, "tbody")
    assert "Ada" in {entry["actor"] for entry in house.json("audit", "last")}
    assert page.complaints() == []


def test_an_error_is_told_with_what_to_do(house: House, page: Page) -> None:
    orders = house.orders("november.csv", 12, seed=2)
    refusal = {"fault": "error", "status": 400, "code": "120207", "message": "The ship-to postal code is invalid."}
    with house.faults({"match": {"path": "/ship", "nth": 4}, **refusal}):
        with console_of(house) as console:
            job = {"request_id": "november", "source": {"kind": "csv", "path": str(orders)}, "mode": "auto"}
            job_id = console.post("/jobs", json=job | {"name": orders.name, "requested_by": "Ada"}).json()["job_id"]
        page.go(f"/jobs/{job_id}")
        page.until("The job stopped")
    assert "What to do:" in page.find(".notice.bad").text
    page.until("failed", "tbody")
    if "TALLY_UPDATE_IMAGES" in os.environ:
        page.picture(IMAGES / "console.png")
    page.driver.find_element("css selector", "#filter option[value=failed]").click()
    page.until("E-3", "tbody")
    page.resize(NARROW)
    widths = page.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], "nothing is wider than a telephone"
    page.press("#resume")
    page.press("#yes")
    page.until("completed", ".badge")
    assert page.complaints() == []


def test_the_page_keeps_its_session_from_scripts_and_ends_it(page: Page) -> None:
    assert "tallyman_session" not in page.driver.execute_script("return document.cookie")
    cookie = page.driver.get_cookie("tallyman_session")
    assert cookie is not None
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.go("/")
    page.press("#log-out")
    page.find("#token")
    assert page.driver.get_cookie("tallyman_session") is None
