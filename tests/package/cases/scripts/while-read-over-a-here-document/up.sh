#!/bin/sh
while read -r unit action; do
  systemctl $action $unit
done <<EOF
web restart
worker reload
EOF
