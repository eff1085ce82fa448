#!/bin/sh
read -p 'Continue? ' yes
while read line; do :; done < /x
echo a | read b
whiptail --yesno hi 8 40
apt-get install foo
apt-get install -y bar=1.2-3
