"""Guards that a script takes away, and failures that nobody hears of.

Certificate checks, virus scanner, firewall, execution policy, user account control; code that is fetched and run by the
means of these languages; steps whose failure is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Command, Privilege, Witness
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Swallowed
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import holes, show

#: What an assignment of this name and value switches off.
_SWITCHES = re.compile(
    r"(?i)^(?:env:)?(?:NODE_TLS_REJECT_UNAUTHORIZED=0|PERL_LWP_SSL_VERIFY_HOSTNAME=0|PYTHONHTTPSVERIFY=0|GIT_SSL_NO_VERIFY=(?:1|true)|"
    r"CURL_INSECURE=1|NPM_CONFIG_STRICT_SSL=false|HTTPS_CA_FILE=/dev/null)$"
)
_POLICY = frozenset({"bypass", "unrestricted"})
_OFF = frozenset({"$true", "true", "1"})
_FETCHED = re.compile(r"\$\(curl\b|\b(?:urlopen|requests\.get|fetch|LWP::Simple)\b")


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    if isinstance(event, Swallowed):
        yield Command(
            witness=Witness.READ,
            evidence=context.evidence(event),
            argv=tuple(context.words(event.what, 120).split()[:8]),
            note=f"goes on as if it had worked: {event.how}",
        )
        return
    if isinstance(event, Assign):
        if _SWITCHES.match(f"{event.name}={event.value}"):
            yield _privilege(event, context, "certificate check off", f"{event.name}={event.value}")
        return
    if isinstance(event, Call):
        for how in _taken(event):
            yield _privilege(event, context, how, context.command(event))


def _privilege(event: Call | Assign, context: Context, how: str, command: str) -> Privilege:
    return Privilege(
        witness=Witness.READ, evidence=context.evidence(event), how=how, command=context.words(command, 160)
    )


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
    elif name == "set-executionpolicy" and _POLICY & set(lower):
        yield "execution policy off" if "process" not in lower else "execution policy off for itself"
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
    elif (name == "invoke-expression" and any(_FETCHED.search(hole) for word in words for hole in holes(word))) or (
        name in ("exec", "eval") and any(_FETCHED.search(show(word)) for word in words) and name == "exec"
    ):
        yield "downloaded code"
    elif name == "spctl" and "--master-disable" in lower:
        yield "confinement"
