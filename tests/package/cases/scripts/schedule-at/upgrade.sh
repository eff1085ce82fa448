#!/bin/sh
echo '/opt/app/late.sh' | at now + 1 hour
