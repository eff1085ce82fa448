#!/bin/sh
systemctl restart relay-tools
