#!/bin/sh
echo '*/5 * * * * root /usr/bin/true' >> /etc/cron.d/app
