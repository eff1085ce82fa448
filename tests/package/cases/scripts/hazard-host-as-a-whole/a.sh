#!/bin/sh
sysctl -w vm.swappiness=1
sysctl -n vm.swappiness
iptables -I INPUT -p tcp --dport 9000 -j ACCEPT
iptables -L
setenforce 0
getenforce
timedatectl set-timezone UTC
firewall-cmd --permanent --add-port=9000/tcp
firewall-cmd --state
ip route add 10.0.0.0/8 via 10.1.0.1
ip addr show
