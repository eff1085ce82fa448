#!/bin/sh
apt-get -y purge ntp
yum -y remove httpd
rpm -e --nodeps old-agent
pip uninstall -y vendorlib
apt-get -s remove bash
apt-get install -y curl
dpkg -l
