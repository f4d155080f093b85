"""A certificate authority to be thrown away, and certificates by it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.database_binaries import Certificate


def openssl(folder: Path, *arguments: str) -> None:
    binary = shutil.which("openssl") or pytest.skip("there is no openssl on this machine")
    subprocess.run([binary, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def authority(folder: Path, name: str) -> Path:
    """A certificate authority for as long as the test; its certificate."""
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    made = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, *extensions)
    return folder / f"{name}.pem"


def certificate(folder: Path, name: str, stands_for: str, *, days: int = 2) -> Certificate:
    """A certificate by the authority called `trusted`, for whoever is `stands_for`; out of force with days below 0."""
    made = ("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", *made)
    (folder / f"{name}.ext").write_text(f"subjectAltName={stands_for}\nextendedKeyUsage=serverAuth,clientAuth\n")
    signer = ("-CA", "trusted.pem", "-CAkey", "trusted.key", "-CAcreateserial", "-days", str(days))
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signer, "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return Certificate(folder / f"{name}.pem", folder / f"{name}.key", folder / "trusted.pem")
