#!/bin/sh
# see https://docs.vendor.example/
echo "See https://help.vendor.example/ for help"
printf 'visit %s\n' https://www.vendor.example
cat <<EOF
https://text.vendor.example
EOF
sed -i 's|http://a.vendor.example|http://b.vendor.example|' /etc/x.conf
