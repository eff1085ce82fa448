#!/bin/sh
systemctl restart relayd
