#!/bin/sh
set -e
cp -a /opt/app/data /backup/
rm -rf /opt/app/data
