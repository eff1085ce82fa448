"""Hosts that a script calls: from the commands that reach the network, and URLs given to any other command.

What is only printed is no call: words of ``echo`` and its kin, texts for a person, patterns of ``sed`` and ``grep``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Endpoint, Reason, Unread, Witness
from fulldress.package.scripts import wrappers
from fulldress.package.scripts.addresses import Address, address, is_host, looks_remote, remote_path, urls
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Write
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import is_constant, show
from fulldress.package.scripts.written import kind_of
from fulldress.patterns import regex

#: Commands whose words are texts or patterns, not addresses to be called.
TALK = frozenset(
    """
    echo printf logger cat tee print sed awk gawk mawk grep egrep fgrep test [ [[ : true false read expr
    case dialog xmessage whiptail zenity notify-send db_input db_subst db_set db_get db_text wall write mail
    mailx head tail tr cut sort uniq log log_info log_warn log_error info warn warning error err die
    fail fatal usage msg message debug banner say ucf export local declare readonly typeset man cp mv ln
    rm mkdir touch chmod chown install jq yq crudini update-xmlcatalog xmlcatalog update-catalog
    doc-base install-docs
    write-host write-output write-verbose write-warning write-error write-information write-debug write-eventlog throw
    set-member invoke-expression select-string new-item add-type out-null exit verify-off run-fetched
    """.split()  # noqa: SIM905 - a table of words is read as words
)
_SCP = {"scp": "scp", "rsync": "ssh", "sftp": "sftp"}
#: Database clients -> scheme, options for host, port, user, and the variables that give the host.
_CLIENTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = {
    **dict.fromkeys(("psql", "pg_dump", "pg_dumpall", "pg_restore", "pg_isready", "createdb", "dropdb", "createuser", "dropuser", "vacuumdb", "reindexdb", "pg_basebackup", "pgbench"), ("postgresql", ("-h", "--host"), ("-p", "--port"), ("-U", "--username"), "PGHOST")),
    **dict.fromkeys(("mysql", "mariadb", "mysqldump", "mariadb-dump", "mysqladmin", "mysqlimport", "mysqlcheck"), ("mysql", ("-h", "--host"), ("-P", "--port"), ("-u", "--user"), "MYSQL_HOST")),
    "redis-cli": ("redis", ("-h",), ("-p",), ("--user",), ""),
    "mongosh": ("mongodb", ("--host",), ("--port",), ("-u", "--username"), ""),
    "mongo": ("mongodb", ("--host",), ("--port",), ("-u", "--username"), ""),
    "mongodump": ("mongodb", ("-h", "--host"), ("--port",), ("-u", "--username"), ""),
    "mosquitto_pub": ("mqtt", ("-h", "--host"), ("-p", "--port"), ("-u",), ""),
    "influx": ("http", ("-host", "--host"), ("-port",), (), ""),
    "ldapsearch": ("ldap", ("-h",), ("-p",), (), ""),
    "swaks": ("smtp", ("-s", "--server"), ("-p", "--port"), (), ""),
}  # fmt: skip
_PLAIN = {  # commands whose first operand is a host, maybe followed by a port
    "nc": ("tcp", "ieopsTwXxPq"), "ncat": ("tcp", "ieopswgmcd"), "netcat": ("tcp", "ieopsTwXxPq"), "telnet": ("telnet", "elnX"),
    "ftp": ("ftp", ""), "lftp": ("ftp", "fecup"), "ncftpput": ("ftp", "upP"), "ntpdate": ("ntp", "aetkop"), "ping": ("icmp", "cIiWwstMQlpS"),
    "traceroute": ("icmp", ""), "nslookup": ("dns", ""), "host": ("dns", "ctRWm"), "ssh-keyscan": ("ssh", "ptTf"),
}  # fmt: skip
_SSH_VALUES = "BbcDEeFIiJLlmOopQRSWw"


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    """Endpoints of one event, and :class:`Unread` for a host that only a run would know."""
    found: list[Address] = []
    unknown = ""
    if isinstance(event, Call):
        found = [item for item in _addresses(event) if item is not None]
    elif isinstance(event, Write):
        found = list(_of_write(event))
    elif isinstance(event, Assign):
        found = list(_of_assignment(event))
    for item in dict.fromkeys(found):
        if not item.known:
            unknown = unknown or show(item.host)
            continue
        yield Endpoint(
            witness=Witness.READ,
            evidence=context.evidence(event),
            scheme=item.scheme,
            host=item.host,
            port=item.port,
            user=item.user,
        )
    if unknown and isinstance(event, Call):
        yield Unread(
            witness=Witness.READ,
            evidence=context.evidence(event),
            what=f"the host that {event.name} calls",
            reason=Reason.NO_DATA,
            detail=f"{context.words(unknown, 60)} is only known when the script runs",
        )


def _addresses(call: Call) -> Iterator[Address | None]:
    name, words = call.name, call.arguments
    if name in _CLIENTS:
        yield from _client(call)
    elif name in ("ssh", "ssh-copy-id", "mosh", "autossh", "slogin"):
        rest = operands(words, _SSH_VALUES)
        if rest:
            yield _login("ssh", rest[0], option(words, "-p"), option(words, "-l"))
    elif name in _SCP:
        scheme = _SCP[name]
        port = option(words, "-P") if name != "rsync" else ""
        rest = operands(words, "PcFiJloSXB" if name != "rsync" else "efTMB")
        for word in rest:
            if "://" in word:
                continue
            remote = remote_path(word, "rsync" if name == "rsync" and "::" in word else scheme)
            if remote is not None:
                yield address(remote.scheme, remote.host, port, remote.user)
            elif name == "sftp" and word is rest[0]:
                yield _login("sftp", word, port, "")
    elif name in _PLAIN:
        scheme, values = _PLAIN[name]
        rest = operands(words, values)
        if rest and not any(word in ("-l", "-lk", "-kl") for word in words) and "://" not in rest[0]:
            yield _login(scheme, rest[0], rest[1] if len(rest) > 1 else option(words, "-p"), "")
    elif name in ("curl", "wget", "http", "https", "aria2c", "wget2", "axel"):
        yield from _bare(call)
    elif (
        name == "git"
        and words[:1]
        and words[0] in ("clone", "fetch", "pull", "push", "remote", "ls-remote", "submodule")
    ):
        for word in operands(words[1:], "bcoju"):
            if "://" not in word and "@" in word.partition(":")[0]:
                yield remote_path(word, "ssh")
    elif name == "openssl" and "-connect" in words:
        yield _login("tcp", *_split_port(option(words, "-connect")), "")
    elif name == "dig":
        for word in words:
            if word.startswith("@"):
                yield address("dns", word[1:])
    elif name == "mount":
        for word in operands(words, "toL"):
            if word.startswith("//"):
                yield address("smb", word[2:].split("/")[0])
            elif ":/" in word and "://" not in word:
                yield remote_path(word, "nfs")
    elif name in ("docker", "podman", "nerdctl", "skopeo", "ctr"):
        for word in operands(words):
            registry = word.removeprefix("docker://").split("/")[0]
            if "/" in word and "://" not in word and looks_remote(registry.partition(":")[0]):
                yield _login("https", *_split_port(registry), "")
            elif (
                words[:1] == ("pull",)
                and word != "pull"
                and is_constant(word)
                and "." not in word.rpartition("/")[0].partition("/")[0]
            ):
                yield address("https", ".".join(("docker", "io")))  # an image without a registry's name is Docker Hub's
    elif name in ("gpg", "gpg2", "apt-key") and (server := option(words, "--keyserver")) and "://" not in server:
        yield address("hkp", server)
    elif name == "smbclient" and (rest := operands(words, "UWpkc")) and rest[0].startswith("//"):
        yield address("smb", rest[0][2:].split("/")[0], option(words, "-p"), option(words, "-U").partition("%")[0])
    elif name in ("nmap", "tcping", "rdate", "chronyc", "wait-for-it", "wait-for-it.sh", "wait-for") and words:
        rest = operands(words, "pthT")
        if rest and ("." in rest[0] or ":" in rest[0]) and "://" not in rest[0]:
            yield _login("tcp", *_split_port(rest[0]), "")
    elif name in ("exec", "cat") and not words:
        return
    if name.lower() not in TALK and wrappers.elsewhere(call.words) is None:  # what runs elsewhere is followed there
        for word in (*_without_data(call), *(value for _, value in call.environment)):
            yield from urls(word)
    if call.stdin and name in ("sftp", "ftp", "lftp"):
        for match in re.finditer(r"(?m)^\s*open\s+(?:-u \S+ )?(\S+)", call.stdin):
            yield from urls(match[1]) or (_login("ftp", match[1], "", ""),)


#: Options whose value is sent along, and never called: bodies, forms, headers, names.
_DATA = {
    "curl": ("-d", "-F", "-H", "-A", "-e", "-b", "-w"),
    "wget": ("-U",),
}
_LONG_DATA = frozenset(
    {"--data", "--data-ascii", "--data-raw", "--data-binary", "--data-urlencode", "--json", "--form", "--form-string",
     "--url-query", "--header", "--proxy-header", "--user-agent", "--referer", "--cookie", "--write-out", "--post-data",
     "--body-data"}
)  # fmt: skip
_ITEM = regex(r"[\w.\[\]-]+(?::?=|==|:(?!//))")  #: httpie: a field, a header, a query of the request


def _without_data(call: Call) -> Iterator[str]:
    """The words of a request that are no data: a URL in a body is told to somebody, not called."""
    words = call.arguments
    if call.name in ("http", "https"):
        yield from (word for word in words if not _ITEM.match(word))
        return
    short = _DATA.get(call.name)
    if short is None:
        yield from words
        return
    data = False
    for word in words:
        if data:
            data = False
        elif word.partition("=")[0] in _LONG_DATA:
            data = "=" not in word
        elif word.startswith("-") and not word.startswith("--"):
            # letters may stand together, the last one takes the value: -sSd BODY; or the value follows at once: -dBODY
            place = next((i for i, letter in enumerate(word) if i and f"-{letter}" in short), 0)
            data = place == len(word) - 1 and place > 0
            if not place:
                yield word
        else:
            yield word


def _client(call: Call) -> Iterator[Address | None]:
    scheme, host_options, port_options, user_options, variable = _CLIENTS[call.name]
    environment = dict(call.environment)
    host = option(call.arguments, *host_options) or environment.get(variable, "")
    port = option(call.arguments, *port_options) or environment.get("PGPORT", "")
    user = option(call.arguments, *user_options) or environment.get("PGUSER", "")
    if host and not host.startswith("/"):
        yield address(scheme, host, port, user)
    for word in call.arguments:
        if (match := re.search(r"(?:^|\s)host(?:addr)?=(\S+)", word)) and scheme == "postgresql":
            given = dict(pair.split("=", 1) for pair in word.split() if "=" in pair)
            yield address(scheme, match[1].strip("'"), given.get("port", ""), given.get("user", "").strip("'"))


def _bare(call: Call) -> Iterator[Address | None]:
    """``curl host/path``: operands without a scheme that can only be hosts."""
    values = "oHdXuAeExbcFTwmKrYyzCDQtPU" if call.name == "curl" else "oOaeitTUwQPA"
    long = frozenset({"data", "header", "output", "request", "user", "user-agent", "max-time", "connect-timeout", "retry",
                      "data-raw", "data-binary", "form", "proxy", "cacert", "cert", "key", "output-document", "json", "resolve",
                      "write-out", "referer", "cookie", "limit-rate", "interface", "retry-delay", "unix-socket", "timeout"})  # fmt: skip
    for word in operands(call.arguments, values, long):
        host, port = _split_port(re.split(r"[/?]", word)[0])
        if "://" in word:
            continue
        if looks_remote(host) or (port and host and is_host(host)) or (host == "localhost"):
            yield address("http", host, port)
        elif not is_constant(host) and word == operands(call.arguments, values, long)[-1]:
            yield address("http", host, "")


def _login(scheme: str, text: str, port: str, user: str) -> Address | None:
    if "://" in text:
        return None
    left, at, right = text.rpartition("@")
    host, own_port = _split_port(right.split("/")[0]) if not right.startswith("[") else (right, "")
    return address(scheme, host, port or own_port, left if at else user)


def _split_port(text: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    return (host, port) if colon and port.isdecimal() and host.count(":") == 0 else (text, "")


def _of_write(write: Write) -> Iterator[Address]:
    """URLs of a configuration that a script writes; comments, documentation and printed texts are left out."""
    network = re.match(r"/dev/(tcp|udp)/([^/]+)/(\S+)", write.path)
    if network:
        found = address(network[1], network[2], network[3])
        if found is not None:
            yield found
        return
    if write.content is None or kind_of(write.path, write.content.split("\n", 1)[0]):
        return  # a script is read as the script that it is
    if write.path.endswith((".md", ".txt", ".html", ".log")):
        return
    for row in write.content.split("\n"):
        row = row.strip()
        if row.startswith(("#", ";", "//", "<!--", "*")) or re.match(
            r"(?i)(documentation|homepage|see|xmlns\w*)\b", row
        ):
            continue
        yield from (item for item in urls(row.partition(" # ")[0]) if item.known)


_DOCUMENTATION = regex(
    r"(?i)home_?page|schema|name_?space|xmlns|^ns$|docs?_|_docs?|help|license|bug|support|readme|wiki|manual|usage|message|msg|text"
)


def _of_assignment(assign: Assign) -> Iterator[Address]:
    """Addresses in constants. They are kept only where no command is seen to call the same host."""
    if _DOCUMENTATION.search(assign.name) or "\n" in assign.value or len(assign.value) > 500:
        return
    if " " in assign.value.strip() and not assign.value.strip().startswith(("http", "ftp", "sftp")):
        return
    yield from (item for item in urls(assign.value) if item.known)
    if re.search(r"(?i)(^|_)(host|server|endpoint|broker|proxy)$", assign.name) and looks_remote(assign.value):
        found = address("", assign.value)
        if found is not None:
            yield found
