#!/bin/sh
set -e
cat > /var/lib/relayd/flags.json <<'EOF'
{
  "hybrid_ui": true,
  "relay_v2": false
}
EOF
curl -fsS -X PUT https://relay.example/api/flags/legacy -d '{"enabled": false}'
