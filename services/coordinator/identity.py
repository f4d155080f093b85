"""Ids that are the same however often they are made: jobs, references, reservations."""

from __future__ import annotations

import base64
import hashlib
import secrets

from shared.contracts.requests import JobRequest

_REFERENCE_JOB_CHARACTERS = 12
_RESTARTED = ":restart"
_LONGEST_REQUEST_ID = 200


def new_installation() -> str:
    """Eight random characters that set this installation's references apart from everybody else's."""
    return _base32(secrets.token_bytes(5))


def job_id_for(installation: str, request_id: str) -> str:
    """The job that `request_id` makes here: one subject token of 16 characters."""
    return _base32(_digest(installation, request_id)[:10]).lower()


def restart_request_id(request_id: str) -> str:
    """The request id of the job that does the job of `request_id` over: always the same, at most 200 characters."""
    derived = f"{request_id}{_RESTARTED}"
    if len(derived) <= _LONGEST_REQUEST_ID:
        return derived
    digest = _digest(request_id).hex()[:16]
    return f"{request_id[: _LONGEST_REQUEST_ID - len(_RESTARTED) - len(digest)]}{digest}{_RESTARTED}"


def request_hash(request: JobRequest) -> str:
    """Tells another body under the same request id apart."""
    return _digest(request.model_dump_json()).hex()


def reference_for(installation: str, job_id: str, row_number: int) -> str:
    """A row's reference with the carrier, constant over its attempts: at most 35 alphanumerics."""
    return f"T{installation}{job_id[:_REFERENCE_JOB_CHARACTERS].upper()}{row_number:07d}"


def reservation_key(source_hash: str, row_key: str, fingerprint: str) -> str:
    """The one key under which an order of a source can be bought, whichever job does it."""
    return _digest(source_hash, row_key, fingerprint).hex()


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=")
