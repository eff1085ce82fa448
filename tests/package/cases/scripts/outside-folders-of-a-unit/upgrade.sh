#!/bin/sh
rm -rf /srv/books/tmp
rm -f /var/lib/counts/a
rm -f /var/lib/others/b
