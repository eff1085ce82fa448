#!/bin/sh
cd /opt/app || exit 1
rm -rf cache
cd releases
rm -rf 1.0
( cd /srv/x && rm -f a )
rm -f b
