#!/bin/sh
generate > /etc/cron.d/app
