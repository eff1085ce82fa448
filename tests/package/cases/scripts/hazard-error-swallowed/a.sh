#!/bin/sh
pg_dump app > /backup/app.sql || true
pg_dump app | gzip > /backup/app.sql.gz
python3 manage.py migrate || :
