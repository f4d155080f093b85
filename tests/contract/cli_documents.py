"""What each command prints with `--json`: a document, or a line for each, or in place of it an error."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from services.cli import documents as cli
from shared.contracts import documents
from shared.contracts.audit import AuditRecord, AuditVerification
from shared.contracts.events import JobEvent
from shared.contracts.report import ReportDocument
from shared.contracts.restoring import Restoration


@dataclass(frozen=True)
class Printed:
    """What a command prints: one document, or with `lines` one in every line."""

    adapter: TypeAdapter[Any]
    lines: bool = False

    def check(self, text: str) -> Any:
        """What was printed, read; it says what the schema says, and nothing besides."""
        bodies: Any = [json.loads(line) for line in text.splitlines()] if self.lines else json.loads(text)
        for body in bodies if self.lines else [bodies]:
            again = self.adapter.dump_python(self.adapter.validate_python(body), mode="json")
            assert again == (body if not self.lines or "at" not in body else body | {"at": again["at"]})
        return bodies


def _one(*models: Any) -> Printed:
    union = models[0]
    for model in models[1:]:
        union = union | model
    return Printed(TypeAdapter(union))


JOB = _one(documents.JobDocument)

PRINTED = {
    "up": Printed(TypeAdapter(cli.UpLine), lines=True),
    "status": _one(cli.StatusDocument),
    "doctor": _one(cli.DoctorDocument),
    "demo": _one(cli.DemoDocument),
    "inspect": _one(documents.InspectionDocument),
    "preview": _one(documents.PreviewDocument, documents.ComparisonDocument),
    "ship": JOB,
    "approve": JOB,
    "reject": JOB,
    "jobs": _one(list[documents.JobDocument]),
    "show": _one(documents.JobDocument, documents.RowDocument),
    "rows": _one(list[documents.RowDocument]),
    "watch": Printed(TypeAdapter(JobEvent), lines=True),
    "pause": JOB,
    "resume": JOB,
    "restart": JOB,
    "resolve": _one(documents.RowDocument),
    "cancel": JOB,
    "labels": _one(cli.LabelsDocument),
    "report": _one(ReportDocument),
    "void": _one(cli.VoidDocument),
    "verify": _one(documents.VerificationDocument),
    "restore": _one(Restoration),
    "audit": _one(list[AuditRecord], AuditVerification, cli.AuditFileDocument),
    "purge": _one(cli.PurgeDocument),
    "shell": _one(cli.ModeDocument),
    "explain": _one(cli.ExplanationDocument),
    "error": _one(cli.ErrorDocument),
}
