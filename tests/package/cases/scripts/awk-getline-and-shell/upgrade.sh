#!/bin/sh
gawk 'BEGIN {
  while (("curl -s https://lists.vendor.example/nodes" | getline node) > 0) n++
  print "systemctl reload relay" | "sh"
  system(ENVIRON["HOOK"])
}'
