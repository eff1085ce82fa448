#!/bin/sh
cat > /etc/apt/sources.list.d/v.list <<EOF
# from https://docs.vendor.example
deb https://apt.vendor.example/debian stable main
EOF
