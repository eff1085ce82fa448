#!/bin/sh
cd /opt/app/cache
rm -rf *
