#!/bin/sh
set -e
DOC=/usr/share/doc/app
if test "$1" = upgrade \
    -a -L $DOC
then
    rm $DOC
fi
if [ -L "/etc/app/old" ]; then rm -f "/etc/app/old"; fi
if [ ! -L /etc/app/real ]; then
    rm -f /etc/app/real
fi
[ -L /srv/data ] && rm -rf /srv/data/
rm -f /etc/app/other
