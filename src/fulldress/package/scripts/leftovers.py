"""What a script leaves that no snapshot brings back: flags, webhooks, credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Credential, Flag, Webhook, Witness, is_secret_name
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

_SWITCH = r"(true|false|on|off|yes|no|enabled|disabled|enable|disable|0|1)"
_OFF = frozenset({"false", "off", "no", "0", "disabled", "disable"})
_HOOKS = regex(r"(?i)/(?:web)?-?hooks?(?:/|$|\?)|/subscriptions(?:/|$|\?)|/callbacks?(?:/|$|\?)")
_COLLECTION = regex(r"(?i)/(?:webhooks|hooks|subscriptions)/?(?:\?|$)")
_FLAGS = regex(r"(?i)/(?:feature[-_]?)?(?:flags?|toggles?|features?)(?:/([\w.\-]+))?(?:/|$|\?)")
_TOKENS = regex(
    r"(?i)/(?:(?:api|access|personal_access|service|auth)[-_]?)?(?:tokens?|api[-_]?keys?|credentials?|service-?accounts?)(?:/|$|\?)"
)
_FLAG_FILE = regex(r"(?i)(?:flag|feature|toggle)s?[\w.\-]*$")
_ROLE = regex(r"(?i)\bCREATE\s+(ROLE|USER|LOGIN)\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"'`]?([\w.\-\ue000\ue001$]+)")
#: How sshd(8) names the keys of a host: made where they are missing, and known to all who ever logged in.
_HOST_KEY = regex(r"/ssh_host_\w+_key$")
_UNTIL = regex(r"(?i)\bVALID\s+UNTIL\s+'([^']+)'")
_FLAG_SQL = regex(r"(?i)\b(?:UPDATE|INSERT\s+INTO)\s+[\"`]?(\w*(?:flag|toggle|feature)\w*)[\"`]?\s+(.*)")


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    place = {"witness": Witness.READ, "evidence": context.evidence(event)}
    if isinstance(event, Write):
        if _FLAG_FILE.search(event.path.rsplit("/", 1)[-1]):
            for name, value in _switches(event.content or ""):
                if value.lower() in _OFF and not event.append:
                    continue  # a whole file: a flag that is off there is one that nobody flipped
                yield Flag(**place, name=name, value=value, store=context.words(event.path))  # type: ignore[arg-type]
        return
    if not isinstance(event, Call):
        return
    for name, value, store in _flags(event):
        yield Flag(**place, name=context.words(name), value=context.words(value), store=context.words(store))  # type: ignore[arg-type]
    for target, registry in _webhooks(event):
        yield Webhook(**place, target=context.words(target), registry=context.words(registry))  # type: ignore[arg-type]
    for kind, name in _credentials(event):
        yield Credential(**place, kind=kind, name=context.words(name, 80))  # type: ignore[arg-type]


# -- HTTP


def _posts(call: Call) -> tuple[str, str, str]:
    """Method, address and body of a request that changes something; empty for any other command."""
    words = call.arguments
    if call.name == "curl":
        body = next(
            (
                option(words, name)
                for name in ("-d", "--data", "--data-raw", "--data-binary", "--json", "-F")
                if option(words, name)
            ),
            "",
        )
        method = option(words, "-X", "--request") or ("POST" if body else "GET")
    elif call.name == "wget":
        body = option(words, "--post-data", "--body-data")
        method = option(words, "--method") or ("POST" if body else "GET")
    elif call.name in ("http", "https"):
        plain = operands(words)
        method = plain[0] if plain and plain[0].isupper() else "GET"
        body = " ".join(plain[2:])
    else:
        return "", "", ""
    if method.upper() not in ("POST", "PUT", "PATCH"):
        return "", "", ""
    if body in ("@-", "-") and call.stdin:
        body = call.stdin
    address = next((word for word in words if "://" in word and word != body), "")
    return method.upper(), address, body


def _webhooks(call: Call) -> Iterator[tuple[str, str]]:
    _, address, body = _posts(call)
    if address and _HOOKS.search(address.partition("://")[2]):
        found = [item.group(0) for item in re.finditer(r"[a-z]+://[^\s\"'\\,}&]+", body)]
        if found:
            yield found[0], address
        elif _COLLECTION.search(address) or not is_constant(body):
            yield "(not in the script)", address  # else it calls a hook, which registers nothing
    elif call.name in ("gh", "glab") and any("hooks" in word for word in call.arguments) and "api" in call.arguments:
        found = [word.partition("url=")[2] for word in call.arguments if "url=" in word]
        yield (found[0] if found else "(not in the script)"), next(w for w in call.arguments if "hooks" in w)


def _flags(call: Call) -> Iterator[tuple[str, str, str]]:
    _, address, body = _posts(call)
    match = _FLAGS.search(address.partition("://")[2].partition("?")[0]) if address else None
    if match:
        pairs = list(_switches(body))
        name = next((value for key, value in _pairs(body) if key in ("name", "key", "flag", "feature")), match[1] or "")
        for key, value in pairs or [("", "")]:
            plain = key in ("enabled", "value", "state", "on", "active", "")
            yield (name or "(in the request)") if plain else key, value, address
    name, words = call.name, call.arguments
    if name in ("sed", "perl") and any(re.match(r"-[a-zA-Z]*i", word) for word in words):
        store = next((word for word in reversed(words) if "/" in word and not re.match(r"[-s]\W|-", word)), "")
        for word in words:
            edit = re.match(r"(?s)(?:[^s]*\W)?s(.)(.*?)\1(.*?)\1", word)
            if edit:
                yield from ((key, value, store) for key, value in _switches(edit[3].replace("\\", "")))
    elif name in ("jq", "yq"):
        for word in words:
            for edit in re.finditer(rf"\.([\w.\"\[\]\-]+)\s*\|?=\s*{_SWITCH}\b", word):
                store = next((w for w in words if w.endswith((".json", ".yaml", ".yml"))), "")
                yield edit[1].replace('"', "").replace("[", "").replace("]", ""), edit[2], store
    elif name in ("psql", "mysql", "mariadb", "sqlite3"):
        for text in (*words, call.stdin or ""):
            statement = _FLAG_SQL.search(text)
            if statement:
                named = re.search(r"(?i)(?:name|key|flag)\s*=\s*'([^']+)'|\(\s*'([^']+)'", statement[2])
                switch = re.search(rf"(?i)(?:=|,)\s*'?{_SWITCH}\b", statement[2])
                flag = (named[1] or named[2]) if named else "(a row)"
                yield flag, switch[1] if switch else "", f"table {statement[1]}"
    elif name == "crudini" and "--set" in words and len(words) > words.index("--set") + 4:
        at = words.index("--set")
        if re.fullmatch(_SWITCH, words[at + 4], re.I):
            yield f"{words[at + 2]}.{words[at + 3]}", words[at + 4], words[at + 1]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    try:
        value = json.loads(show(text))
    except ValueError:
        yield from re.findall(r"""(?<![?&/\w.\-])["']?([\w.\-]+)["']?\s*[:=]\s*["']?([^\s"',}&]+)""", text)
        return
    stack = [("", value)]
    while stack:
        prefix, item = stack.pop()
        if isinstance(item, dict):
            stack.extend((f"{prefix}.{key}" if prefix else str(key), inner) for key, inner in reversed(item.items()))
        elif prefix and not isinstance(item, list):
            yield prefix, json.dumps(item) if isinstance(item, bool) else str(item)


def _switches(text: str) -> Iterator[tuple[str, str]]:
    """Names with a value that switches something on or off."""
    for key, value in _pairs(text):
        if re.fullmatch(_SWITCH, value, re.I) and not is_secret_name(key):
            yield key, value


# -- credentials


#: Options of one letter that take a value; ``useradd -r`` and ``-m`` take none.
_VALUES = {"useradd": "bcdefgGkKpPRsuZ", "groupadd": "gKpPR", "createuser": "chpUg"}


def _credentials(call: Call) -> Iterator[tuple[str, str]]:
    name, words = call.name, call.arguments
    long = {"home", "shell", "uid", "gid", "gecos", "comment", "ingroup", "firstuid", "lastuid", "conf"}
    letters = _VALUES.get(name, "ugGdscekKpbrm")
    plain = operands(words, letters, frozenset(long | ({"group", "groups"} if name != "adduser" else set())))
    method, address, _ = _posts(call)
    if method == "POST" and address and _TOKENS.search(address.partition("://")[2]):
        yield "token", address
    if name in ("psql", "mysql", "mariadb", "sqlcmd", "mongo", "mongosh", "sqlplus"):
        for text in (*words, call.stdin or ""):
            yield from (("database role", show(match[2])) for match in _ROLE.finditer(text))
            if "createUser" in text:
                found = re.search(r"user\s*:\s*['\"]([^'\"]+)", text)
                yield "database role", found[1] if found else "(not in the script)"
    elif name == "createuser" and plain:
        yield "database role", plain[-1]
    elif name == "useradd" and plain:
        yield "system account" if {"-r", "--system"} & set(words) else "account", plain[-1]
    elif name == "adduser" and plain:
        if len(plain) == 1 or "--system" in words:
            yield "system account" if "--system" in words else "account", plain[0]
    elif name in ("addgroup", "groupadd") and plain and (len(plain) == 1 or name == "groupadd"):
        yield "group", plain[-1]
    elif name == "ssh-keygen" and not any(word in ("-R", "-l", "-lf", "-F", "-y", "-A", "-H", "-L") for word in words):
        path = option(words, "-f") or "~/.ssh"
        yield ("SSH host key" if _HOST_KEY.search(path) else "SSH key"), path
    elif name == "openssl" and _makes_key(words):
        yield "private key", option(words, "-out", "-keyout") or "(printed)"
    elif name == "keytool" and any(word.startswith("-genkey") for word in words):
        yield "private key", option(words, "-keystore") or "keystore"
    elif name in ("make-ssl-cert", "mkcert"):
        yield "private key", plain[-1] if plain else "(default place)"
    elif name in ("htpasswd", "htdigest") and plain:
        yield "web login", plain[-1] if "-b" not in "".join(words[:1]) else plain[1] if len(plain) > 1 else plain[0]
    elif name == "rabbitmqctl" and "add_user" in words:
        yield "broker user", words[words.index("add_user") + 1] if words[-1] != "add_user" else ""
    elif name == "vault" and words[:2] == ("token", "create"):
        yield "token", "vault token"
    elif name == "aws" and "create-access-key" in words:
        yield "access key", option(words, "--user-name") or "current user"
    elif (
        name == "kubectl"
        and words[:1] == ("create",)
        and len(words) > 2
        and words[1] in ("secret", "serviceaccount", "token")
    ):
        yield words[1], plain[-1]
    elif name == "wg" and words[:1] == ("genkey",):
        yield "private key", "WireGuard"
    elif name == "gpg" and any(
        word in ("--gen-key", "--full-generate-key", "--quick-generate-key", "--quick-gen-key") for word in words
    ):
        yield "OpenPGP key", plain[0] if plain else "(from input)"


def _makes_key(words: tuple[str, ...]) -> bool:
    if words[:1] == ("ecparam",):
        return "-genkey" in words
    return words[:1] in (("genrsa",), ("genpkey",), ("gendsa",)) or (
        words[:1] == ("req",) and ("-newkey" in words or "-new" in words)
    )
