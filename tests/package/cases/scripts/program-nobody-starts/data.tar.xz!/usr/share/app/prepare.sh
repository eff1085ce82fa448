#!/bin/sh
rm -rf /var/cache/app
