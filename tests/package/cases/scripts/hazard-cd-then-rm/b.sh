#!/bin/sh
set -e
cd /opt/app/cache
rm -rf *
