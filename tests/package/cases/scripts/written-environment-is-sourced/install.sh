#!/bin/sh
cat > /etc/app.env <<EOF
API=api.vendor.example
EOF
. /etc/app.env
curl https://$API/v1
