#!/bin/sh
systemctl restart before
if [ -f /x ]; then
  echo "it's
systemctl restart after
