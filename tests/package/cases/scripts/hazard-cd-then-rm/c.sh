#!/bin/sh
cd /opt/app/cache || exit 1
rm -rf *
