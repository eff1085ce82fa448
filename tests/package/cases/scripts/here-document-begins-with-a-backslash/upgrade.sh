#!/bin/sh
psql <<'EOF'
\set ON_ERROR_STOP on
\! systemctl restart ledger
DROP TABLE ledger_old;
EOF
cat > /etc/cron.d/app <<EOF

   # the nightly run
5 3 * * * app /opt/app/nightly
EOF
