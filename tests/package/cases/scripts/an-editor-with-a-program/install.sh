#!/bin/bash
emacs --batch --eval '(shell-command "reboot")'
vim -u NONE -c ':%s/a/b/' -c wq /etc/relay.conf
