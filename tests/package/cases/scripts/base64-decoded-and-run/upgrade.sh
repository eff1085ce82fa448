#!/bin/sh
echo c3lzdGVtY3RsIHJlc3RhcnQgbGVkZ2Vy | base64 -d | sh
eval "$(printf '%s' 'cmVib290' | base64 --decode)"
sh -c "$(openssl base64 -d <<< cm0gLXJmIC9vcHQvYXBwL29sZA==)"
base64 -di <<'EOF' | bash
Y3VybCAtcyBodHRwczov
L2luLnZlbmRvci5leGFtcGxlL2hlbGxv
EOF
