"""What a command of Windows changes for the host as a whole: network, clock, name, boot, power, policies, trusted roots.

The twin of the table in :mod:`.hazards`, which does the same for Unix."""

from __future__ import annotations

import re

from fulldress.patterns import regex

#: Command -> what it changes, and what of its words does more than look.
_HOST: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "netsh": (
        ("the network", regex(r"(?i)\binterface\b.*\b(?:set|add|delete|reset)\b|\bwinsock\s+reset|\bint\s+ip\s+(?:set|add|reset)")),
        ("the proxy of the host", regex(r"(?i)\bwinhttp\s+(?:set|import|reset)\b")),
        ("who may listen on an address", regex(r"(?i)\bhttp\s+(?:add|delete)\s+(?:urlacl|sslcert|iplisten)")),
    ),
    "route": (("the network", regex(r"(?i)^(?:-p\s+)?(?:add|delete|change)\b|\b-f\b")),),
    "tzutil": (("the host's time zone", regex(r"(?i)/s\b")),),
    "w32tm": (("the host's clock", regex(r"(?i)/config\b|/unregister\b")),),
    "bcdedit": (("how the host boots", regex(r"(?i)/(?:set|delete|default|create|copy|import|timeout)\b")),),
    "powercfg": (("the host's power plan", regex(r"(?i)^[/-](?:setactive|s|change|x|h|hibernate|import)\b")),),
    "secedit": (("policies of the host", regex(r"(?i)/configure\b")),),
    "auditpol": (("policies of the host", regex(r"(?i)/set\b|/clear\b")),),
    "fsutil": (("how file systems behave", regex(r"(?i)\bbehavior\s+set\b|\bquota\b.*\benforce\b")),),
    "wevtutil": (("event logs, which are cleared", regex(r"(?i)^(?:cl|clear-log)\b")),),
    "vssadmin": (("shadow copies, which are deleted", regex(r"(?i)\bdelete\s+shadows\b|\bresize\b")),),
    "certutil": (("the certificates that the host trusts", regex(r"(?i)[/-](?:addstore|importpfx|delstore)\b")),),
    "import-certificate": (("the certificates that the host trusts", regex(r"(?i)\\(?:root|trustedpublisher|ca)\b")),),
    "import-pfxcertificate": (("the certificates that the host trusts", regex(r"(?i)\\(?:root|trustedpublisher)\b")),),
    **dict.fromkeys(
        ("set-netipaddress", "new-netipaddress", "remove-netipaddress", "set-dnsclientserveraddress", "new-netroute", "remove-netroute",
         "disable-netadapter", "restart-netadapter", "set-netadapter", "disable-netadapterbinding"),
        (("the network", regex(r"")),),
    ),
    **dict.fromkeys(("rename-computer", "add-computer", "remove-computer"), (("the host's name or domain", regex(r"")),)),
    "set-timezone": (("the host's time zone", regex(r"")),),
    "set-date": (("the host's clock", regex(r"")),),
    "clear-eventlog": (("event logs, which are cleared", regex(r"")),),
    "set-smbserverconfiguration": (("how the host shares files", regex(r"")),),
    "new-smbshare": (("what the host shares", regex(r"")),),
    "set-mmagent": (("how memory is managed", regex(r"")),),
}  # fmt: skip


def changed(name: str, words: tuple[str, ...]) -> str:
    """What of the host a command changes; empty for nothing."""
    joined = " ".join(words)
    if name == "net" and words[:1] and words[0].lower() == "share" and len(words) > 1 and "=" in joined:
        return "what the host shares"
    return next((what for what, pattern in _HOST.get(name, ()) if pattern.search(joined)), "")
