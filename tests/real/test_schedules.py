"""All schedules of real packages, read by hand once: names, mechanisms and expressions, none of their text.

Run with ``-m real``. A package that is not in the cache is skipped; the first run of ``test_inspect.py`` fills it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fulldress import package
from fulldress.facts import Schedule, Witness

pytestmark = pytest.mark.real
CACHE = Path(__file__).parents[2] / ".cache" / "real"

#: Package (beginning of its file's name) → (mechanism, name, expression) of every schedule in it.
WANTED: dict[str, set[tuple[str, str, str]]] = {
    "certbot": {("cron.d", "certbot", "0 */12 * * *"), ("systemd timer", "certbot", "*-*-* 00,12:00:00")},
    "e2fsprogs": {
        ("cron.d", "e2scrub_all (line 1)", "30 3 * * 0"),
        ("cron.d", "e2scrub_all (line 2)", "10 3 * * *"),
        ("systemd timer", "e2scrub_all", "Sun *-*-* 03:10:00"),
    },
    "mdadm": {
        ("cron.d", "mdadm", "57 0 * * 0"),
        ("cron.daily", "mdadm", "25 6 * * *"),
        ("systemd timer", "mdadm-last-resort@", "OnActiveSec=30"),
        ("systemd timer", "mdcheck_continue", "1:05:00"),
        ("systemd timer", "mdcheck_start", "Sun *-*-1..7 1:00:00"),
        ("systemd timer", "mdmonitor-oneshot", "2:00:00"),
    },
    "cacti": {("cron.d", "cacti", "*/5 * * * *")},
    "postfix": set(),
    "unattended-upgrades": set(),
    "ghost": {
        ("bree", "email-analytics-fetch-latest", "… …/5 * * * *"),
        ("bree", "clean-expired-comped", "… … … * * *"),
        ("bree", "clean-tokens", "… … … * * *"),
        ("bree", "mentions-email-report", "… … * * * *"),
        ("bree", "update-check", "… … … * * *"),
    },
    "apache_superset": {
        ("Celery beat", "reports.scheduler", "* * * * *"),
        ("Celery beat", "reports.prune_log", "0 0 * * *"),
    },
    "apache_airflow_core": set(),
    "matrix_synapse": set(),
    "apt_2": {
        ("cron.daily", "apt-compat", "25 6 * * *"),
        ("systemd timer", "apt-daily", "*-*-* 6,18:00"),
        ("systemd timer", "apt-daily-upgrade", "*-*-* 6:00"),
    },
    "mailman3": {("cron.d", "mailman3 (line 7)", "0 8 * * *"), ("cron.d", "mailman3 (line 10)", "0 12 * * *")},
    "man-db": {
        ("cron.daily", "man-db", "25 6 * * *"),
        ("cron.weekly", "man-db", "47 6 * * 7"),
        ("systemd timer", "man-db", "daily"),
    },
    "roundcube-core": {
        ("cron.d", "roundcube-core (line 4)", "0 5 * * *"),
        ("cron.d", "roundcube-core (line 7)", "5,35 * * * *"),
        ("systemd timer", "roundcube-cleandb", "*-*-* 00:05"),
        ("systemd timer", "roundcube-gc", "*-*-* *:05,35:00"),
    },
    "sysstat": {
        ("cron.d", "sysstat (line 6)", "5-55/10 * * * *"),
        ("cron.d", "sysstat (line 9)", "59 23 * * *"),
        ("cron.daily", "sysstat", "25 6 * * *"),
        ("systemd timer", "sysstat-collect", "*:00/10"),
        ("systemd timer", "sysstat-summary", "00:07:00"),
    },
    "anacron": {
        ("anacron", "cron.daily", "every 1 d"),
        ("anacron", "cron.weekly", "every 7 d"),
        ("anacron", "cron.monthly", "@monthly"),
        ("cron.d", "anacron", "30 7-23 * * *"),
        ("cron.daily", "0anacron", "25 6 * * *"),
        ("cron.weekly", "0anacron", "47 6 * * 7"),
        ("cron.monthly", "0anacron", "52 6 1 * *"),
        ("systemd timer", "anacron", "*-*-* 07..23:30"),
    },
    "php-common": {("cron.d", "php", "09,39 * * * *"), ("systemd timer", "phpsessionclean", "*-*-* *:09,39:00")},
    "logrotate": {("cron.daily", "logrotate", "25 6 * * *"), ("systemd timer", "logrotate", "daily")},
    "dpkg": {("cron.daily", "dpkg", "25 6 * * *"), ("systemd timer", "dpkg-db-backup", "daily")},
    "spamassassin": {
        ("cron.daily", "spamassassin", "25 6 * * *"),
        ("systemd timer", "spamassassin-maintenance", "*-*-* 6:00"),
    },
    "popularity-contest": {("cron.daily", "popularity-contest", "25 6 * * *")},
    "apticron": set(),
    "cron_3": set(),
}


@pytest.mark.parametrize("start", sorted(WANTED))
def test_the_schedules_are_these(start: str) -> None:
    found = sorted(CACHE.glob(f"{start}*")) if CACHE.is_dir() else []
    if not found:
        pytest.skip(f"{start} is not in the cache")
    reading = package.read(found[0], at=datetime(2026, 11, 25, tzinfo=UTC), zone="Europe/Berlin")
    jobs = [fact for fact in reading.facts if isinstance(fact, Schedule) and fact.witness is Witness.READ]
    shipped = {(job.mechanism, job.name, job.expression) for job in jobs if not job.installed_by}
    assert shipped == WANTED[start]
