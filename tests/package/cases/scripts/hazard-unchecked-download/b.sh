#!/bin/sh
wget https://get.vendor.example/x.deb
dpkg -i x.deb
