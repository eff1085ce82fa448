"""Guards that a script takes away, and failures that nobody hears of.

Certificate checks, virus scanner, firewall, execution policy, user account control; code that is fetched and run by the
means of these languages; steps whose failure is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Hazard, Privilege, Witness
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Swallowed
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import holes, show
from fulldress.patterns import regex

#: What an assignment of this name and value switches off.
_SWITCHES = regex(
    r"(?i)^(?:env:)?(?:NODE_TLS_REJECT_UNAUTHORIZED=0|PERL_LWP_SSL_VERIFY_HOSTNAME=0|PYTHONHTTPSVERIFY=0|GIT_SSL_NO_VERIFY=(?:1|true)|"
    r"CURL_INSECURE=1|NPM_CONFIG_STRICT_SSL=false|HTTPS_CA_FILE=/dev/null)$"
)
_POLICY = frozenset({"bypass", "unrestricted"})
_OFF = frozenset({"$true", "true", "1"})
_FETCHED = regex(r"\$\(curl\b|\b(?:urlopen|requests\.get|fetch|LWP::Simple)\b")


#: A step that a later one surely rests on, and that is lost when it fails unheard.
_LOST = regex(r"(?i)migrat|backup|dump|restore|upgrade|alembic|flyway|liquibase|execute|sqlcmd")
#: How a script puts a guard back that it took away.
_AGAIN = {
    "virus scanner off": regex(r"(?i)-Disable\w+\s+(?:\$false|0)\b"),
    "virus scanner told to look away": regex(r"(?i)\bRemove-MpPreference\b"),
    "firewall off": regex(r"(?i)\bstate\s+on\b|-Enabled\s+(?:\$?true|1)\b"),
    "user account control off": regex(r"(?i)\bEnableLUA\b.*\b1\b"),
}
#: What is no guard of the host, but a right that is taken.
_RIGHTS = frozenset({"downloaded code", "confinement", "firewall opened"})


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    if isinstance(event, Swallowed):
        what, how = context.words(event.what, 120), context.words(event.how, 80)
        kind = "error swallowed" if _LOST.search(event.what) else "failure passed over"
        yield Hazard(witness=Witness.READ, evidence=context.evidence(event), kind=kind, what=what, detail=how)
    elif isinstance(event, Assign):
        if _SWITCHES.match(f"{event.name}={event.value}"):
            yield _hazard(event, context, "certificate check off", f"{event.name}={event.value}")
    elif isinstance(event, Call):
        for how in _taken(event):
            if how in _RIGHTS:
                fetched = event.words[0] == "run-fetched"
                command = (
                    context.words(f"{event.text.strip()}, fetched from {event.words[1]}")
                    if fetched
                    else context.command(event)
                )
                yield Privilege(witness=Witness.READ, evidence=context.evidence(event), how=how, command=command)
            elif how not in _AGAIN or not _AGAIN[how].search(event.member.text):
                named = event.words[0] in ("verify-off", "set-member")
                yield _hazard(event, context, how, event.text.strip() if named else context.command(event))


def _hazard(event: Call | Assign, context: Context, how: str, what: str) -> Hazard:
    kind = "certificate check off" if how == "certificate check off" else "guard off"
    evidence = context.evidence(event)
    return Hazard(witness=Witness.READ, evidence=evidence, kind=kind, what=context.words(what, 120), detail=how)


def _taken(call: Call) -> Iterator[str]:
    name = re.sub(r"(?i)\.exe$", "", re.split(r"[/\\]", call.words[0])[-1]).lower()
    words = call.arguments
    lower = tuple(word.lower() for word in words)
    joined = " ".join(lower)
    if (
        (
            name in ("curl", "wget")
            and (
                "--insecure" in words
                or "--no-check-certificate" in words
                or any(re.fullmatch(r"-[a-zA-Z]*k[a-zA-Z]*", w) for w in words if name == "curl")
            )
        )
        or (
            name == "set-member"
            and re.search(r"servercertificatevalidationcallback|trustallcertspolicy|certificatepolicy", joined)
            and not joined.endswith("$null")
        )
        or (name == "npm" and re.search(r"\bstrict-ssl[= ]false\b", joined))
        or (name == "git" and "http.sslverify" in joined and "false" in joined)
        or name == "verify-off"
    ):
        yield "certificate check off"
    elif name == "set-executionpolicy" and _POLICY & set(lower) and "process" not in lower:
        yield "execution policy off"  # for the process alone it ends with it
    elif name in ("set-mppreference", "add-mppreference"):
        if any(
            word.startswith("-disable") and (lower[i + 1 : i + 2] or ("true",))[0] in _OFF
            for i, word in enumerate(lower)
        ):
            yield "virus scanner off"
        elif any(word.startswith("-exclusion") for word in lower):
            yield "virus scanner told to look away"
    elif name == "netsh" and re.search(
        r"\b(?:advfirewall\s+set\s+\w+\s+state\s+off|firewall\s+set\s+opmode\s+disable)", joined
    ):
        yield "firewall off"
    elif (
        name == "netsh"
        and re.search(
            r"\b(?:advfirewall\s+firewall\s+add\s+rule|firewall\s+add\s+(?:portopening|allowedprogram))", joined
        )
        and ("allow" in joined or " firewall add " in f" {joined}")
    ) or (name == "new-netfirewallrule" and "block" not in lower):
        yield "firewall opened"
    elif name == "set-netfirewallprofile" and re.search(r"-enabled\s+(?:false|\$false|0)", joined):
        yield "firewall off"
    elif name in ("set-itemproperty", "new-itemproperty", "reg") and re.search(r"\benablelua\b.*\b0(?:x0)?\b", joined):
        yield "user account control off"
    elif name in ("set-itemproperty", "new-itemproperty", "reg") and re.search(
        r"\bdisable(?:antispyware|realtimemonitoring)\b.*\b1\b", joined
    ):
        yield "virus scanner off"
    elif (
        (name == "invoke-expression" and any(_FETCHED.search(hole) for word in words for hole in holes(word)))
        or (name in ("exec", "eval") and any(_FETCHED.search(show(word)) for word in words) and name == "exec")
        or name == "run-fetched"
    ):
        yield "downloaded code"
    elif name == "spctl" and "--master-disable" in lower:
        yield "confinement"
