#!/bin/bash
declare -A PORT=([api]=8443 [push]=9443)
for n in "${!PORT[@]}"; do
  curl -fsS "https://$n.vendor.example:${PORT[$n]}/ping"
done
