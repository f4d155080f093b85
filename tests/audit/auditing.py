"""`make audit`: the code by bandit, the pinned dependencies by pip-audit; says what could not be looked up.

pip-audit calls a package that its database does not know "skipped" and ends well even where that is every one, as it is
without a way to the database. Here that is said in as many words; what could be checked still decides.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WITHIN = 300.0


def main() -> int:
    """0 where nothing was found; 1 for a finding in the code, a known vulnerability or a file that is not pinned."""
    files = sorted((ROOT / "requirements").glob("*.txt"))
    return max(code(), *(_dependencies(file) for file in files))


def code() -> int:
    """Say what bandit finds in the code; 1 where it finds anything."""
    command = [sys.executable, "-m", "bandit", "--quiet", "-c", "pyproject.toml", "-r", "services", "shared"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN, check=False)
    if ran.returncode:
        print(ran.stdout or ran.stderr)
        return 1
    print("Code: bandit finds nothing in services and shared.")
    return 0


def _dependencies(file: Path) -> int:
    name = file.relative_to(ROOT)
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", "-r", str(file), *options]
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN, check=False)
        packages: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        print(f"{name}: NOT CHECKED: the database of vulnerabilities did not answer in {WITHIN:g} s.")
        return 0
    except ValueError:
        unreachable = "ConnectionError" in ran.stderr or "Failed to connect" in ran.stderr
        print(f"{name}: NOT CHECKED: {ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else 'no answer'}")
        return 0 if unreachable else 1
    return told(str(name), packages)


def told(name: str, packages: list[dict[str, Any]]) -> int:
    """Say what pip-audit found in a file; 1 where a package is vulnerable."""
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    vulnerable = [package for package in packages if package.get("vulns")]
    if len(unknown) == len(packages):
        print(f"{name}: pinned with hashes. NOT CHECKED for vulnerabilities: the database cannot be reached.")
        return 0
    for package in vulnerable:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "nothing yet"
            print(f"{name}: {package['name']} {package['version']} has {found['id']}, fixed in {fixed}.")
    print(f"{name}: {len(packages) - len(unknown)} packages checked, {len(vulnerable)} vulnerable.")
    if unknown:
        print(f"{name}: NOT CHECKED, unknown to the database: {', '.join(unknown)}.")
    return 1 if vulnerable else 0
