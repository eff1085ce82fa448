#!/bin/bash
set -euo pipefail
pg_dump app | gzip > /backup/app.sql.gz
python3 manage.py migrate
rm -f /opt/app/x || true
