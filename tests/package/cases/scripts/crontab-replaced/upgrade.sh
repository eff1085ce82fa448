#!/bin/sh
crontab conf/jobs.cron
