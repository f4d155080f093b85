"""Who may call the console, and by which E-code a call is answered."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from services.console.access import COOKIE, LIFETIME, Access
from services.console.answers import http_status
from services.console.app import require_token
from services.console.guard import Guard
from shared import errors
from shared.errors import REGISTRY, ErrorBody, TallyError
from shared.settings import ConsoleSettings, ListenSettings

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
TOKEN = "a token that nobody guesses"


class Watch:
    """A clock that is set by hand."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def request(method: str = "POST", **headers: str) -> Request:
    given = {"host": "127.0.0.1:8000", "content-type": "application/json", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/", "scheme": "http", "headers": raw}
    return Request(scope)


def session(access: Access, name: str = "Ada") -> str:
    response = Response()
    access.log_in(request(), TOKEN, name, response)
    return response.headers["set-cookie"].split(";")[0].partition("=")[2]


def refusal(access: Access, call: Request) -> str:
    with pytest.raises(TallyError) as caught:
        access.admit(call)
    return caught.value.body.code


def test_whoever_sends_the_token_is_let_in_and_nobody_else() -> None:
    access = Access(TOKEN, Watch())
    assert access.admit(request(authorization=f"Bearer {TOKEN}")).name == "api"
    for given in ("Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x"):
        assert refusal(access, request(authorization=given)) == "E-5021"
    assert refusal(access, request()) == "E-5021"


def test_a_session_names_its_person_until_it_is_over() -> None:
    watch = Watch()
    access = Access(TOKEN, watch)
    cookie = session(access)
    assert access.admit(request("GET", cookie=f"{COOKIE}={cookie}")).name == "Ada"
    watch.now = NOW + LIFETIME - timedelta(seconds=1)
    assert access.admit(request("GET", cookie=f"{COOKIE}={cookie}")).name == "Ada"
    watch.now = NOW + LIFETIME
    assert refusal(access, request("GET", cookie=f"{COOKIE}={cookie}")) == "E-5021"


def test_a_session_holds_at_every_console_with_the_token_and_at_no_other() -> None:
    cookie = session(Access(TOKEN, Watch()))
    assert Access(TOKEN, Watch()).admit(request("GET", cookie=f"{COOKIE}={cookie}")).name == "Ada"
    assert refusal(Access("another token", Watch()), request("GET", cookie=f"{COOKIE}={cookie}")) == "E-5021"


def forged(cookie: str) -> list[str]:
    content, signature = cookie.split(".")
    later = base64.urlsafe_b64encode(json.dumps([2**40, "Eve"]).encode()).decode()
    return ["", ".", "x", "é", "a.b.c", f"{content}.", f".{signature}", f"{later}.{signature}", f"{content}.{content}"]


@pytest.mark.parametrize("place", range(9))
def test_a_session_that_the_console_did_not_sign_is_none(place: int) -> None:
    access = Access(TOKEN, Watch())
    cookie = forged(session(access))[place]
    assert refusal(access, request("GET", cookie=f"{COOKIE}={cookie}")) == "E-5021"


def test_a_sessions_cookie_is_kept_from_scripts_and_from_other_sites() -> None:
    response = Response()
    Access(TOKEN, Watch()).log_in(request(), TOKEN, "Ada", response)
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "text/plain"},
    ],
)
def test_what_another_site_has_a_browser_send_is_refused_even_with_a_session(headers: dict[str, str]) -> None:
    access = Access(TOKEN, Watch())
    given = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    call = request(cookie=f"{COOKIE}={session(access)}")
    call.scope["headers"] = [
        *((name, value) for name, value in call.scope["headers"] if name.decode() not in given),
        *((name.encode(), value.encode()) for name, value in given.items()),
    ]
    assert refusal(access, Request(call.scope)) == "E-5022"


def test_what_the_page_itself_sends_is_taken() -> None:
    access = Access(TOKEN, Watch())
    cookie = f"{COOKIE}={session(access)}"
    assert access.admit(request(cookie=cookie, origin="http://127.0.0.1:8000", sec_fetch_site="same-origin"))


def test_without_a_token_everybody_on_this_machine_is_let_in_but_no_other_site() -> None:
    access = Access("", Watch())
    assert access.admit(request()).name == "console"
    assert access.admit(request(authorization="Bearer anything")).name == "console"
    assert refusal(access, request(origin="http://evil.example")) == "E-5022"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1", "localhost"])
def test_a_console_without_a_token_serves_its_own_machine(host: str) -> None:
    require_token(ConsoleSettings(console=ListenSettings(host=host)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "console.example", ""])
def test_a_console_without_a_token_serves_nobody_else(host: str) -> None:
    with pytest.raises(TallyError) as caught:
        require_token(ConsoleSettings(console=ListenSettings(host=host)))
    assert caught.value.kind is errors.CONSOLE_OPEN
    require_token(ConsoleSettings.model_validate({"console": {"host": host, "token": TOKEN}}))


async def nothing(*_: object) -> None:
    """An application that answers nothing."""


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("10.1.2.3", True),
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("tally.example:443", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example:8000", False),
        ("", False),
        ("[evil.example]", False),
    ],
)
async def test_a_call_by_a_name_that_is_not_the_consoles_is_not_answered(host: str, *, is_ours: bool) -> None:
    answered: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    call = request("GET", host=host)
    await Guard(nothing, ("tally.example",))(call.scope, nothing, send)  # type: ignore[arg-type]
    assert answered == ([] if is_ours else [421])


async def failing(*_: object) -> None:
    raise ValueError("Maya Okafor, 1 Elm St")


async def test_what_ends_a_call_is_logged_by_its_kind_and_place_and_not_by_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await Guard(failing, ())(request("GET").scope, nothing, nothing)  # type: ignore[arg-type]
    told = "".join(capsys.readouterr())
    assert "ValueError" in told
    assert "test_console_access.py:" in told
    assert "Maya" not in told


def test_every_error_has_an_http_status_of_its_kind() -> None:
    for kind in REGISTRY.values():
        status = http_status(ErrorBody(code=kind.code, message=""))
        assert 400 <= status < 600
        if kind.code.startswith(("E-1", "E-2")):
            assert status < 500, kind.code
    told = {errors.JOB_NOT_FOUND: 404, errors.ILLEGAL_TRANSITION: 409, errors.REQUEST_ID_REUSED: 409}
    told |= {errors.BUS_UNREACHABLE: 503, errors.REQUEST_MALFORMED: 422, errors.NOT_LOGGED_IN: 401, errors.PURGED: 410}
    assert {kind: http_status(ErrorBody(code=kind.code, message="")) for kind in told} == told
    assert http_status(ErrorBody(code="E-9999", message="of a later version")) == 500
