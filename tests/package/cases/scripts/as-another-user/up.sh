#!/bin/sh
su - postgres -c 'psql -c "DROP DATABASE reports"'
sudo -u app bash -c 'cd /opt/app && rm -rf tmp'
runuser -u app -- systemctl --user restart sync
