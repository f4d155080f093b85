"""`tally explain`: what an error's code means, with no house running."""

import json

from typer.testing import CliRunner

from services.cli.main import app


def test_a_code_is_explained_with_what_to_do() -> None:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["explain", "e3012"])
    assert done.exit_code == 0
    assert done.output.startswith("E-3012  Row abandoned\nCarrier\n")
    assert "handed to a shipper <deliveries> times" in done.output
    assert "What to do\n  Read the shipper's log" in done.output


def test_a_code_is_explained_as_json() -> None:
    done = CliRunner().invoke(app, ["explain", "E-4001", "--json"])
    assert json.loads(done.output) == {
        "code": "E-4001",
        "title": "Bus unreachable",
        "section": "Bus, job database and write-back",
        "cause": "The bus at {url} cannot be reached.",
        "action": "Start it with tally up, or set TALLY_NATS_URL.",
        "retryable": True,
    }


def test_a_code_that_is_none_is_a_usage_error_that_names_near_ones() -> None:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["explain", "E-3014"])
    assert done.exit_code == 2
    assert "there is no error E-3014; near it are E-3013, E-3012" in done.output


def test_what_is_no_code_is_a_usage_error_that_says_where_the_codes_are() -> None:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["explain", "nonsense"])
    assert (done.exit_code, "docs/errors.md" in done.output) == (2, True)
