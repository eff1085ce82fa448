#!/bin/sh
cp -a /opt/app/data /backup/
rm -rf /opt/app/data
