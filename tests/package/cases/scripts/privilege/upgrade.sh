#!/bin/sh
sudo -u postgres psql -c 'select 1'
chmod u+s /opt/x/bin/a
chmod 4755 /opt/x/bin/b
chmod 755 /opt/x/bin/c
setcap cap_net_bind_service=+ep /opt/x/bin/d
echo 'app ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/app
usermod -aG docker app
su - app -c 'id'
