#!/bin/sh
rm -f /var/cache/relayd/*.tmp
