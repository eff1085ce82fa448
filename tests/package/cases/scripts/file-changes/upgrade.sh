#!/bin/sh
sed -i 's/a/b/' /etc/app.conf
cp new.conf /etc/app/
ln -sf /opt/app/2 /opt/app/current
install -d /var/lib/app
chown -R app: /var/lib/app
echo x >> /etc/hosts
