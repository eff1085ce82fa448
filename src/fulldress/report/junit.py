"""Findings, gates and gaps as JUnit XML, which every build server shows.

A finding at or above the verdict's threshold is a failure; a gap that a verdict needs is an error; a finding that was
waived is skipped; one that a rehearsed step settles passes.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from fulldress.checks import RULES
from fulldress.facts import RESTORED, Difference, Migration, Witness
from fulldress.findings import Finding, Severity
from fulldress.patterns import regex
from fulldress.report.view import View

#: XML 1.0, production 2: what may stand in a document at all.
_FORBIDDEN = regex(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(view: View, fail_on: Severity = Severity.BLOCKER) -> str:
    """The whole document.

    A trace looks at what ran alone: a rule that found nothing there was not passed, and is left out; each script that ran,
    and each way back that was compared, is a test of its own."""
    suites = Element("testsuites", name="fulldress")
    whole = view.kind != "trace"
    _rules(SubElement(suites, "testsuite", name="rules"), view, fail_on, whole)
    if not whole:
        _scripts(SubElement(suites, "testsuite", name="scripts"), view)
        _tables(SubElement(suites, "testsuite", name="way back"), view)
    gates = [gate for timeline in view.timelines for gate in timeline.gates]
    if gates:
        suite = SubElement(suites, "testsuite", name="gates")
        for timeline in view.timelines:
            for gate in timeline.gates:
                case = _case(suite, f"run {timeline.run}", gate.name)
                if gate.outcome == "fail":
                    SubElement(case, "failure", message=_clean(gate.detail or "fail"))
                elif gate.outcome != "pass":
                    SubElement(case, "error", message=_clean(gate.detail or "unknown never passes"))
        _count(suite)
    suite = SubElement(suites, "testsuite", name="coverage")
    for gap in view.unread:
        case = _case(suite, "unread", gap.what)
        SubElement(
            case, "error" if gap.needed else "skipped", message=_clean(f"{gap.reason.value} {gap.detail}".strip())
        )
    _count(suite)
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _scripts(suite: Element, view: View) -> None:
    for fact in view.facts:
        if isinstance(fact, Migration) and fact.witness is Witness.OBSERVED:
            case = _case(suite, fact.evidence.step or fact.direction, fact.name)
            if fact.duration is not None:
                case.set("time", f"{fact.duration.total_seconds():.3f}")
            if fact.outcome.startswith("failed"):
                SubElement(case, "failure", message=_clean(fact.outcome))
            elif fact.outcome != "ok":
                SubElement(case, "error", message=_clean(fact.outcome or "unknown never passes"))
    _count(suite)


def _tables(suite: Element, view: View) -> None:
    for fact in view.facts:
        if isinstance(fact, Difference):
            case = _case(suite, fact.equality or "schema", f"{fact.object}: {fact.kind}")
            if fact.kind not in RESTORED:
                SubElement(case, "failure", message=_clean(fact.detail or fact.kind))
    _count(suite)


def _rules(suite: Element, view: View, fail_on: Severity, whole: bool) -> None:
    by_rule: dict[str, list[Finding]] = {}
    for finding in view.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    for known in RULES.values():
        if known.id not in by_rule and whole:
            _case(suite, known.id, known.title)
        for finding in by_rule.get(known.id, []):
            case = _case(suite, known.id, finding.title)
            places = "\n".join(f"{t.witness.value}: {t.says} ({t.evidence.where()})" for t in finding.testimony)
            if finding.waived is not None:
                SubElement(case, "skipped", message=_clean(f"waived by {finding.waived.who}: {finding.waived.why}"))
            elif finding.counts and finding.severity.rank <= fail_on.rank:
                failure = SubElement(case, "failure", type=finding.severity.value, message=_clean(finding.title))
                failure.text = _clean(f"{places}\n\n{finding.remedy}")
            else:
                SubElement(case, "system-out").text = _clean(f"{finding.severity.value}: {places}\n\n{finding.remedy}")
    _count(suite)


def _case(suite: Element, classname: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=_clean(classname), name=_clean(name))


def _count(suite: Element) -> None:
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))


def _clean(words: str) -> str:
    return _FORBIDDEN.sub("\ufffd", words)
