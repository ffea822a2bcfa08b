"""What the canary has found out, run by run, and which answers have changed."""

from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from demurrage.model.finding import Answer, Finding, FindingRecord
from demurrage.store.acts import record_act
from demurrage.store.database import Repository
from demurrage.store.tables import findings


class Findings(Repository):
    """The answers, oldest first in the table; only clear ones are compared."""

    def record_finding(self, target: str, finding: Finding) -> FindingRecord:
        """Keep an answer, beside the last clear one; it says whether that has changed.

        An unclear answer changes nothing and settles nothing.
        """
        with self._database.write() as connection:
            before = _last(connection, target, clear=True).get(finding.question)
            changed = before is not None and finding.clear and not finding.agrees(before.finding)
            record = FindingRecord(finding, before.finding.words if before and changed else None)
            connection.execute(insert(findings), [_row(target, record)])
        return record

    def findings(self, target: str) -> dict[str, FindingRecord]:
        """The latest answer to each question, unclear ones too."""
        with self._database.read() as connection:
            return _last(connection, target, clear=False)

    def changed_findings(self, target: str) -> tuple[FindingRecord, ...]:
        """The answers that have changed, until the next run confirms them or a person does."""
        with self._database.read() as connection:
            last = _last(connection, target, clear=True)
        return tuple(each for _, each in sorted(last.items()) if each.open_change)

    def acknowledge_findings(self, target: str, at: float, by: str) -> int:
        """A person takes note of what has changed; returns how many answers that were."""
        with self._database.write() as connection:
            last = _last(connection, target, clear=True)
            some = [question for question, each in last.items() if each.open_change]
            connection.execute(
                update(findings)
                .where(
                    findings.c.target == target,
                    findings.c.question.in_(some),
                    findings.c.acknowledged_at.is_(None),
                )
                .values(acknowledged_at=at)
            )
            if some:
                detail = ", ".join(sorted(some))
                record_act(connection, at, by, "acknowledge_findings", target=target, detail=detail)
        return len(some)


def _last(connection: Connection, target: str, *, clear: bool) -> dict[str, FindingRecord]:
    ids = select(func.max(findings.c.id)).where(findings.c.target == target)
    if clear:
        ids = ids.where(findings.c.answer != Answer.UNCLEAR.value)
    query = select(findings).where(findings.c.id.in_(ids.group_by(findings.c.question)))
    records = map(_record, connection.execute(query).mappings())
    return {each.finding.question: each for each in records}


def _record(row: RowMapping) -> FindingRecord:
    return FindingRecord(
        Finding(row["question"], Answer(row["answer"]), row["says"], row["figures"], row["at"]),
        row["changed_from"],
        row["acknowledged_at"],
    )


def _row(target: str, record: FindingRecord) -> dict[str, Any]:
    found = record.finding
    return {
        "target": target,
        "question": found.question,
        "at": found.at,
        "answer": found.answer.value,
        "says": found.says,
        "figures": dict(found.figures),
        "changed_from": record.changed_from,
    }
