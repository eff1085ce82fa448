#!/bin/sh
systemctl restart appd
