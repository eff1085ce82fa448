#!/bin/sh
if true; then
  systemctl restart a
  curl https://e.vendor.example/x ;; ) (
fi fi
systemctl restart b
