"""The runbook: a section for each alert, and only commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main
import yaml
from typer.core import TyperGroup

from services.cli.main import app

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]


def test_every_alert_has_its_section_and_leads_to_it() -> None:
    sections = re.findall(r"^### (Tally\w+)$", RUNBOOK, flags=re.MULTILINE)
    assert sections == [rule["alert"] for rule in ALERTS]
    for rule in ALERTS:
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_section_says_whether_it_wakes_somebody() -> None:
    said = dict(re.findall(r"^### (Tally\w+)\n(Page|Ticket)\.", RUNBOOK, flags=re.MULTILINE))
    assert said == {rule["alert"]: rule["labels"]["severity"].capitalize() for rule in ALERTS}


def test_every_command_that_runbook_and_alerts_name_is_one() -> None:
    program = typer.main.get_command(app)
    assert isinstance(program, TyperGroup)
    told = RUNBOOK + "".join(rule["annotations"]["description"] for rule in ALERTS)
    named = re.findall(r"`tally ([a-z]+)((?: [^`]*)?)`", told)
    assert named
    for name, rest in named:
        assert name in program.commands, name
        options = {option for each in program.commands[name].params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"tally {name}{rest}"


def test_every_page_that_the_runbook_leads_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", RUNBOOK):
        assert (ROOT / "docs" / target).exists(), target
